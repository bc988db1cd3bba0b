//! Headers of any bytes are read or refused; what is read can be planned or refused,
//! and a plan stays within the guest's addresses.
#![no_main]

use elf_loader::Headers;
use guest::GUEST_ADDRESS_LIMIT;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(headers) = Headers::read(data) else {
        return;
    };
    let _ = headers.program_headers();
    let _ = headers.alignment();
    let _ = headers.end();
    let Ok(span) = headers.span() else { return };
    assert!(span.start <= span.end, "{headers:x?}");
    for bias in [0, 0x5555_5555_0000, u64::MAX << 12] {
        let Ok(steps) = headers.plan(bias) else { continue };
        for step in steps {
            let mapped = step.mapped();
            assert!(mapped.start <= mapped.end, "{step:x?} of {headers:x?}");
            assert!(mapped.end <= GUEST_ADDRESS_LIMIT, "{step:x?} of {headers:x?}");
        }
    }
});
