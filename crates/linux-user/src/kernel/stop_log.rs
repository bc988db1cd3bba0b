//! -d stops: one line for each boundary of each task, `TID stop: what`.

use super::stop::{Boundary, End, Made, Observer, Resume};
use super::task::Task;
use crate::signal::set;
use crate::strace::Trace;

/// Writes the lines.
#[derive(Debug)]
pub struct StopLog(pub Trace);

impl Observer for StopLog {
    fn at(&self, task: &mut Task, boundary: &Boundary<'_>) -> Resume {
        let what = match boundary {
            Boundary::CallEntered(call) => format!("enters {}", call.name()),
            Boundary::CallLeft(call, _) => format!("leaves {}", call.name()),
            Boundary::Seccomp { message, .. } => format!("seccomp {message}"),
            Boundary::Signal(info) => format!("signal {}", set::name(info.signal())),
            Boundary::Breakpoint(immediate) => format!("breakpoint {immediate}"),
            Boundary::Interrupted => "interrupted".to_owned(),
            Boundary::Step => "step".to_owned(),
            Boundary::Cloned(Made::Fork, child) => format!("forked {child}"),
            Boundary::Cloned(Made::Vfork, child) => format!("vforked {child}"),
            Boundary::Cloned(Made::Clone, child) => format!("cloned {child}"),
            Boundary::VforkDone(child) => format!("vfork done {child}"),
            Boundary::Started(_) => "starts".to_owned(),
            Boundary::Executed => "executes".to_owned(),
            Boundary::Exit(End::Status(status)) => format!("exits {status}"),
            Boundary::Exit(End::Signal(signal)) => format!("dies of {}", set::name(*signal)),
        };
        self.0.write(&format!("{} stop: {what}\n", task.tid));
        Resume::Run
    }
}
