//! The host code for a host with all features, as `goldens.rs` has it for the reference.

mod golden_files;
mod host_code;

use jit_x64::target::HostFeatures;

#[test]
fn host_code_is_as_recorded() {
    golden_files::check("goldens_avx512", HostFeatures::ALL);
}
