//! Links libfann in single precision, which is Debian's package `libfann-dev`.

fn main() {
    println!("cargo:rustc-link-lib=floatfann");
    println!("cargo:rustc-link-lib=m");
}
