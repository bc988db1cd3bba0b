//! Times of the emulator's parts: `cargo bench -p benches`.
//!
//! Real programs are measured by `cargo xtask bench`.

mod cpu_time;
mod decode;
mod dispatch;
mod interpret;
mod program;
mod syscall;
mod translate;

criterion::criterion_group! {
    name = parts;
    config = criterion::Criterion::default().with_measurement(cpu_time::CpuTime);
    targets = decode::decode, translate::steps, translate::whole, dispatch::dispatch,
        interpret::interpret, syscall::syscall, program::program
}
criterion::criterion_main!(parts);
