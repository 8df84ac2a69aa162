//! The few functions of libfann that are needed to run a network.

use std::ffi::{c_char, c_void, CString};
use std::path::Path;

extern "C" {
    fn fann_create_from_file(path: *const c_char) -> *mut c_void;
    fn fann_run(ann: *mut c_void, input: *const f32) -> *const f32;
    fn fann_destroy(ann: *mut c_void);
}

/// A network of libfann's.
pub(crate) struct LibFann {
    ann: *mut c_void,
    outputs: usize,
}

impl LibFann {
    /// Loads a file that has `outputs` outputs.
    pub(crate) fn load(path: &Path, outputs: usize) -> Self {
        let name = CString::new(path.to_str().expect("UTF-8")).expect("no NUL");
        // SAFETY: `name` is a C string that outlives the call.
        let ann = unsafe { fann_create_from_file(name.as_ptr()) };
        assert!(!ann.is_null(), "libfann refuses {}", path.display());
        LibFann { ann, outputs }
    }

    pub(crate) fn run(&mut self, input: &[f32]) -> &[f32] {
        // SAFETY: `ann` is a network of as many inputs as the callers give. Its outputs are its own
        // memory, which lives until the next run or its destruction, both of which need `&mut self`.
        unsafe {
            let output = fann_run(self.ann, input.as_ptr());
            std::slice::from_raw_parts(output, self.outputs)
        }
    }
}

impl Drop for LibFann {
    fn drop(&mut self) {
        // SAFETY: it came from libfann and is not used again.
        unsafe { fann_destroy(self.ann) }
    }
}
