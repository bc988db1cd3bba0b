//! The host code that short guest sequences become, as text, so that each change of
//! emitted code shows in review.
//!
//! A file of `goldens/` holds one family. A case is a line `== name` (`, flags live` if
//! the code behind the sequence reads NZCV; `, checked` with checks of floating-point results
//! instead of traps), the guest words, and what they become: the
//! number of host instructions and bytes and the code, cold parts included. It is that of
//! the reference features, whatever this machine offers; `goldens_avx512/` has that of a host with
//! all features.
//! `RAEMU_BLESS=1 cargo test -p jit-x64 --test goldens` writes all but names and words anew.

mod golden_files;
mod host_code;

use golden_files::parse;
use jit_x64::target::{HostFeatures, Target};

#[test]
fn host_code_is_as_recorded() {
    golden_files::check("goldens", &Target::new(HostFeatures::REFERENCE));
}

#[test]
fn host_code_for_all_features_is_as_recorded() {
    golden_files::check("goldens_avx512", &Target::new(HostFeatures::ALL));
}

#[test]
fn cases_are_read_back() {
    let text = "# head\n\n== one, flags live\n  d503201f  nop\n-- 1 instructions, 1 bytes\n     0  ret\n";
    let (head, cases) = parse(text);
    assert_eq!(head, "# head\n\n");
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].words, [0xd503_201f]);
    assert!(cases[0].flags_live());
}
