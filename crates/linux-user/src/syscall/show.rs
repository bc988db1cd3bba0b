//! How the structures of linux-abi print for `-strace`.

use super::arg::Show;
use crate::strace::Printer;
use linux_abi::flags;
use linux_abi::layout::{
    EpollEvent, Flock, Iovec, Itimerspec, Itimerval, MqAttr, OpenHow, PollFd, Rlimit, Rusage, SemBuf,
    Sigevent, Stat, Statfs, Statx, Sysinfo, Timespec, Timeval, Timezone, Tms, Utsname,
};

/// Prints `{name=value,...}` of the listed fields in decimal.
macro_rules! show_fields {
    ($($name:ident { $($field:ident),* };)*) => {$(
        impl Show for $name {
            fn show(&self, out: &mut Printer) {
                out.group(|out| {
                    $(out.field(stringify!($field)); self.$field.show(out);)*
                });
            }
        }
    )*};
}

macro_rules! show_decimal {
    ($($ty:ty),*) => {$(
        impl Show for $ty {
            fn show(&self, out: &mut Printer) {
                out.dec(*self as i64);
            }
        }
    )*};
}
show_decimal!(i8, u8, i16, u16, i32, u32, i64, u64);

impl<T: Show, const N: usize> Show for [T; N] {
    fn show(&self, out: &mut Printer) {
        out.text("[");
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                out.text(",");
            }
            item.show(out);
        }
        out.text("]");
    }
}

show_fields! {
    Timespec { tv_sec, tv_nsec };
    Timeval { tv_sec, tv_usec };
    Timezone { tz_minuteswest, tz_dsttime };
    Itimerspec { it_interval, it_value };
    Itimerval { it_interval, it_value };
    Rusage { ru_utime, ru_stime, ru_maxrss };
    Sysinfo { uptime, totalram, freeram, procs };
    Statfs { f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_namelen };
    Flock { l_type, l_whence, l_start, l_len, l_pid };
    SemBuf { sem_num, sem_op, sem_flg };
    Sigevent { sigev_value, sigev_signo, sigev_notify };
    MqAttr { mq_flags, mq_maxmsg, mq_msgsize, mq_curmsgs };
    Tms { tms_utime, tms_stime, tms_cutime, tms_cstime };
    Iovec { iov_base, iov_len };
}

impl Show for Rlimit {
    fn show(&self, out: &mut Printer) {
        out.group(|out| {
            for (name, value) in [("rlim_cur", self.rlim_cur), ("rlim_max", self.rlim_max)] {
                out.field(name);
                if value == u64::MAX {
                    out.text("RLIM_INFINITY")
                } else {
                    out.dec(value as i64)
                }
            }
        });
    }
}

impl Show for Stat {
    fn show(&self, out: &mut Printer) {
        out.group(|out| {
            out.field("st_mode");
            out.octal(u64::from(self.st_mode));
            out.field("st_size");
            out.dec(self.st_size);
        });
    }
}

impl Show for Statx {
    fn show(&self, out: &mut Printer) {
        out.group(|out| {
            out.field("stx_mask");
            out.hex(u64::from(self.stx_mask));
            out.field("stx_mode");
            out.octal(u64::from(self.stx_mode));
            out.field("stx_size");
            out.dec(self.stx_size as i64);
        });
    }
}

impl Show for OpenHow {
    fn show(&self, out: &mut Printer) {
        out.group(|out| {
            out.field("flags");
            out.flags(linux_abi::OpenFlags::from_bits_retain(self.flags));
            out.field("mode");
            out.octal(self.mode);
            out.field("resolve");
            out.hex(self.resolve);
        });
    }
}

impl Show for EpollEvent {
    fn show(&self, out: &mut Printer) {
        out.group(|out| {
            out.field("events");
            out.flags(flags::PollEvents::from_bits_retain(u64::from(self.events)));
            out.field("data");
            out.hex(self.data);
        });
    }
}

impl Show for PollFd {
    fn show(&self, out: &mut Printer) {
        out.group(|out| {
            out.field("fd");
            out.dec(i64::from(self.fd));
            out.field("events");
            out.flags(flags::PollEvents::from_bits_retain(self.events as u64 & 0xffff));
        });
    }
}

impl Show for Utsname {
    fn show(&self, out: &mut Printer) {
        out.group(|out| {
            for (name, text) in [
                ("sysname", &self.sysname),
                ("release", &self.release),
                ("machine", &self.machine),
            ] {
                out.field(name);
                let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
                out.quoted(&text[..end], false);
            }
        });
    }
}
