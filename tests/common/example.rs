//! Examples as programs, for tests that run them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An example's binary, in the profile of this test. Plain `cargo test` has built it already, but
/// `cargo test --test NAME` or `--all-targets` have not.
pub(crate) fn build(example: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is target/tmp");
    let test_binary = std::env::current_exe().expect("a test has a path");
    let folder = test_binary.ancestors().nth(2).and_then(Path::file_name);
    let folder = folder.and_then(OsStr::to_str).expect("tests are in target/PROFILE/deps");
    let profile = if folder == "debug" { "dev" } else { folder };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", example, "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(status.expect("cargo starts").success(), "the example does not build");
    let name = format!("{example}{}", std::env::consts::EXE_SUFFIX);
    target.join(folder).join("examples").join(name)
}
