//! The table against the cross compiler's headers, and what the kernel gets of structures.

use super::shape::Copies;
use super::*;
use crate::syscall::arg::guard::{before_own, guest_copy};
use crate::syscall::arg::read;
use std::fmt::Write as _;
use std::process::Command;

/// What a structure looks like to the kernel: its bytes as words.
fn seen(copies: &mut Copies, request: u32, addr: GuestAddr, words: usize) -> Vec<u64> {
    let Some(Shape::Memory(size, fields)) = table::shape(request).or_else(|| Some(told(request))) else {
        panic!("{request:#x} is no structure");
    };
    let passed = copies.guarded(addr.0, size.at(addr.0), fields);
    (0..words)
        .map(|at| {
            // SAFETY: the address is the guest's structure or the copy made of it, of that many words.
            unsafe { ((passed + at as u64 * 8) as *const u64).read_unaligned() }
        })
        .collect()
}

const SIOCGIFCONF: u32 = 0x8912;
const I2C_RDWR: u32 = 0x0707;
const XFS_IOC_OPEN_BY_HANDLE: u32 = 0xc038_586b;
const SPI_IOC_MESSAGE_2: u32 = 0x4040_6b00;

#[test]
fn numbers_tell_what_has_no_row() {
    let told_size = |request| match told(request) {
        Shape::Memory(size, fields) => (size.at(0), fields.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(told_size(0x8004_1234), (4, 0));
    assert_eq!(told_size(0x4004_1234), (4, 0));
    assert_eq!(told_size(0xc030_1234), (48, 1));
    assert_eq!(told_size(0x1234), (256, 0));
}

#[test]
fn addresses_of_the_emulators_lead_nowhere() {
    let copies = &mut Copies::default();
    let own = before_own() + 4096;
    let (fine, bad) = ([4096, own - 4096], [4096, own - 8]);
    assert_eq!(seen(copies, SIOCGIFCONF, guest_copy(&fine), 2), fine);
    let changed = seen(copies, SIOCGIFCONF, guest_copy(&bad), 2);
    assert_eq!(changed[0], 4096);
    assert_ne!(changed[1], own - 8);
    // Of a structure that nobody has described, any word.
    let unknown = [1, own + 64, 3, 4, 5, 6];
    let changed = seen(copies, 0xc030_1234, guest_copy(&unknown), 6);
    assert_eq!((changed[0], &changed[2..]), (1, &unknown[2..]));
    assert_ne!(changed[1], own + 64);
}

#[test]
fn elements_are_followed() {
    let copies = &mut Copies::default();
    let own = before_own() + 4096;
    // struct i2c_msg: address and flags, length, buffer.
    let messages = guest_copy(&[16_u64 << 32, own - 64, 16_u64 << 32, own]);
    let changed = seen(copies, I2C_RDWR, guest_copy(&[messages.0, 2]), 2);
    assert_ne!(changed[0], messages.0);
    // SAFETY: the copy of two messages.
    let [_, first, _, second] = unsafe { (changed[0] as *const [u64; 4]).read() };
    assert_eq!(first, own - 64);
    assert_ne!(second, own);
    // The number says how many.
    let transfers = [own - 64, 0, 8, 0, own, 0, 8, 0];
    let changed = seen(copies, SPI_IOC_MESSAGE_2, guest_copy(&transfers), 8);
    assert_eq!(changed[..4], transfers[..4]);
    assert_ne!(changed[4], own);
}

#[test]
fn flags_of_open_are_converted() {
    let copies = &mut Copies::default();
    let flags = OpenFlags::O_DIRECTORY | OpenFlags::O_NOFOLLOW;
    let handle = [3, 0, flags.bits(), 0, 0, 0, 0];
    let changed = seen(copies, XFS_IOC_OPEN_BY_HANDLE, guest_copy(&handle), 7);
    assert_eq!(changed[2], flags.to_host());
}

#[test]
fn what_the_kernel_changes_comes_back() {
    let own = before_own() + 4096;
    let structure = guest_copy(&[1_u64, own + 64, 3, 4, 5, 6]);
    let Shape::Memory(size, fields) = told(0xc030_1234) else {
        panic!("a structure");
    };
    let written = with_copies(structure.0, size, fields, |at| {
        assert_ne!(at, structure.0);
        // SAFETY: the copy.
        unsafe { ((at + 16) as *mut u64).write(77) };
        Ok(0)
    });
    assert_eq!(written, Ok(0));
    assert_eq!(read::<[u64; 6]>(structure), Ok([1, own + 64, 77, 4, 5, 6]));
    // The kernel keeps the address of this one.
    let urb = guest_copy(&[0_u64, 0, own, 64, 0, 0, 0]);
    let Some(Shape::Kept(size, fields)) = table::shape(0x8038_550a) else {
        panic!("a structure that is kept");
    };
    let call = |at| {
        assert_eq!(at, urb.0);
        assert_ne!(read::<u64>(urb.offset(16)), Ok(own));
        Ok(0)
    };
    assert_eq!(in_place(urb.0, size, fields, call), Ok(0));
    assert_eq!(read::<u64>(urb.offset(16)), Ok(own));
}

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// What the headers need before them.
const PRELUDE: &str = "#include <stddef.h>\n#include <stdint.h>\n#include <sys/types.h>\n#include <sys/time.h>\n\
    #include <linux/types.h>\n#include <linux/ioctl.h>\n#include <linux/fiemap.h>\n#include <linux/filter.h>\n#include <asm/termbits.h>\n#include <sys/socket.h>\n#include <netinet/in.h>\n";

/// Headers with requests, and their structures that hold addresses: a request's number, its structure, and the members, in
/// the order of their places.
const HEADERS: &[(&str, &str)] = &[
    ("asm/ioctls.h", ""),
    (
        "drm/drm.h",
        "
        0xc0406400 struct drm_version: name date desc
        0xc0106401 struct drm_unique: unique
        0xc04064a0 struct drm_mode_card_res: fb_id_ptr crtc_id_ptr connector_id_ptr encoder_id_ptr
        0xc06864a2 struct drm_mode_crtc: set_connectors_ptr
        0xc02064a4 struct drm_mode_crtc_lut: red green blue
        0xc05064a7 struct drm_mode_get_connector: encoders_ptr modes_ptr props_ptr prop_values_ptr
        0xc04064aa struct drm_mode_get_property: values_ptr enum_blob_ptr
        0xc01064ac struct drm_mode_get_blob: data
        0xc01864b1 struct drm_mode_fb_dirty_cmd: clips_ptr
        0xc01064b5 struct drm_mode_get_plane_res: plane_id_ptr
        0xc02064b6 struct drm_mode_get_plane: format_type_ptr
        0xc02064b9 struct drm_mode_obj_get_properties: props_ptr prop_values_ptr
        0xc03864bc struct drm_mode_atomic: objs_ptr count_props_ptr props_ptr prop_values_ptr
        0xc01064bd struct drm_mode_create_blob: data
        0xc01064c4 struct drm_syncobj_array: handles
        0xc01864c6 struct drm_mode_create_lease: object_ids
        0xc01064c7 struct drm_mode_list_lessees: lessees_ptr
        0xc01064c8 struct drm_mode_get_lease: objects_ptr
        0xc01864cb struct drm_syncobj_timeline_array: handles points",
    ),
    (
        "linux/android/binder.h",
        "0xc0306201 struct binder_write_read: write_buffer read_buffer",
    ),
    ("linux/blkpg.h", "0x1269 struct blkpg_ioctl_arg: data"),
    ("linux/blkzoned.h", ""),
    (
        "linux/btrfs.h",
        "
        0x40489426 struct btrfs_ioctl_send_args: clone_sources
        0xc0389424 struct btrfs_ioctl_logical_ino_args: inodes
        0xc0389423 struct btrfs_ioctl_ino_path_args: fspath
        0x80809440 struct btrfs_ioctl_encoded_io_args: iov",
    ),
    (
        "linux/cdrom.h",
        "
        0x530e struct cdrom_read_audio: buf
        0x5393 struct cdrom_generic_command: buffer sense",
    ),
    ("linux/dma-buf.h", ""),
    ("linux/dvb/frontend.h", "0x40106f52 struct dtv_properties: props"),
    ("linux/fb.h", "0x4604 struct fb_cmap: red green blue transp"),
    ("linux/fs.h", ""),
    ("linux/fscrypt.h", ""),
    (
        "linux/fsverity.h",
        "
        0x40806685 struct fsverity_enable_arg: salt_ptr sig_ptr
        0xc0286687 struct fsverity_read_metadata_arg: buf_ptr",
    ),
    ("linux/hdreg.h", ""),
    (
        "linux/i2c-dev.h",
        "
        0x0707 struct i2c_rdwr_ioctl_data: msgs
        0x0720 struct i2c_smbus_ioctl_data: data",
    ),
    (
        "linux/if.h",
        "
        0x8912 struct ifconf: ifc_ifcu
        0x8946 struct ifreq: ifr_ifru",
    ),
    ("linux/if_tun.h", "0x401054d5 struct sock_fprog: filter"),
    (
        "linux/input.h",
        "
        0x40304580 struct ff_effect: u.periodic.custom_data
        0x80104592 struct input_mask: codes_ptr",
    ),
    (
        "linux/ipmi.h",
        "
        0x8028690d struct ipmi_req: addr msg.data
        0x80306915 struct ipmi_req_settime: req.addr req.msg.data
        0xc030690c struct ipmi_recv: addr msg.data",
    ),
    (
        "linux/kd.h",
        "
        0x4b66 struct unimapdesc: entries
        0x4b6b struct consolefontdesc: chardata
        0x4b72 struct console_font_op: data",
    ),
    ("linux/loop.h", ""),
    (
        "linux/media.h",
        "
        0xc0287c02 struct media_links_enum: pads links
        0xc0487c04 struct media_v2_topology: ptr_entities ptr_interfaces ptr_pads ptr_links",
    ),
    ("linux/mmc/ioctl.h", "0xc048b300 struct mmc_ioc_cmd: data_ptr"),
    ("linux/nbd.h", ""),
    (
        "linux/nvme_ioctl.h",
        "
        0xc0484e41 struct nvme_passthru_cmd: metadata addr
        0x40304e42 struct nvme_user_io: metadata addr
        0xc0504e47 struct nvme_passthru_cmd64: metadata addr
        0xc0504e49 struct nvme_passthru_cmd64: metadata addr",
    ),
    ("linux/perf_event.h", ""),
    ("linux/ppp-ioctl.h", "0x4010744d struct ppp_option_data: ptr"),
    ("linux/random.h", ""),
    ("linux/route.h", "0x890b struct rtentry: rt_dev"),
    ("linux/sockios.h", ""),
    (
        "linux/sync_file.h",
        "0xc0383e04 struct sync_file_info: sync_fence_info",
    ),
    ("linux/tee.h", "0x8010a402 struct tee_ioctl_buf_data: buf_ptr"),
    ("linux/udmabuf.h", ""),
    ("linux/uinput.h", ""),
    ("linux/usb/tmc.h", "0xc0145b0d struct usbtmc_message: message"),
    (
        "linux/usbdevice_fs.h",
        "
        0xc0185500 struct usbdevfs_ctrltransfer: data
        0xc0185502 struct usbdevfs_bulktransfer: data
        0x8038550a struct usbdevfs_urb: buffer
        0xc0105512 struct usbdevfs_ioctl: data",
    ),
    (
        "linux/userfaultfd.h",
        "
        0xc020aa00 struct uffdio_register: range.start
        0xc028aa03 struct uffdio_copy: dst src
        0xc020aa04 struct uffdio_zeropage: range.start
        0xc018aa06 struct uffdio_writeprotect: range.start",
    ),
    (
        "linux/uvcvideo.h",
        "
        0xc0607520 struct uvc_xu_control_mapping: menu_info
        0xc0107521 struct uvc_xu_control_query: data",
    ),
    ("linux/vfio.h", ""),
    (
        "linux/vhost.h",
        "0x4028af11 struct vhost_vring_addr: desc_user_addr used_user_addr avail_user_addr",
    ),
    (
        "linux/videodev2.h",
        "
        0xc058560f struct v4l2_buffer: m.userptr
        0xc0205647 struct v4l2_ext_controls: controls
        0xc0285628 struct v4l2_edid: edid
        0xc0d05604 struct v4l2_format: fmt.win.clips fmt.win.bitmap",
    ),
    ("linux/vm_sockets.h", ""),
    ("linux/vt.h", ""),
    (
        "mtd/mtd-abi.h",
        "
        0xc0104d03 struct mtd_oob_buf: ptr
        0xc0184d15 struct mtd_oob_buf64: usr_ptr
        0xc0304d18 struct mtd_write_req: usr_data usr_oob
        0xc0404d1a struct mtd_read_req: usr_data usr_oob",
    ),
    ("scsi/sg.h", ""),
    (
        "sound/asound.h",
        "
        0xc0505510 struct snd_ctl_elem_list: pids
        0xc1105517 struct snd_ctl_elem_info: value.enumerated.names_ptr
        0x40184150 struct snd_xferi: buf
        0x40184152 struct snd_xfern: bufs
        0x40604803 struct snd_hwdep_dsp_image: image",
    ),
];

/// Assertions about each row that has a number of its own and that a header names.
fn numbers() -> String {
    let mut text = String::new();
    for &(name, number) in table::NAMES {
        let digits: String = number.chars().filter(|&digit| digit != '_').skip(2).collect();
        if let Ok(number) = u32::from_str_radix(&digits, 16) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "#ifdef {name}\n_Static_assert((unsigned){name} == {number:#x}u || ((unsigned){name} & ~{:#x}u) == {number:#x}u, \"{name}\");\n#endif",
                table::SIZE_BITS
            );
        }
    }
    text
}

/// Assertions about where a row says that addresses are.
fn places(case: &str) -> String {
    let (structure, members) = case.split_once(": ").expect("number, structure: members");
    let (number, structure) = structure.split_once(' ').expect("number, structure");
    let number = u32::from_str_radix(number.trim_start_matches("0x"), 16).expect("hexadecimal");
    let Some(Shape::Memory(size, fields) | Shape::Kept(size, fields)) = table::shape(number) else {
        panic!("{case}: no structure");
    };
    let mut offsets: Vec<u16> = fields.iter().flat_map(Field::offsets).collect();
    offsets.sort_unstable();
    offsets.dedup();
    assert_eq!(offsets.len(), members.split(' ').count(), "{case}: {offsets:?}");
    let mut text = format!(
        "_Static_assert(sizeof({structure}) == {}, \"{case}\");\n",
        size.head()
    );
    for (offset, member) in offsets.iter().zip(members.split(' ')) {
        let _ = writeln!(
            text,
            "_Static_assert(offsetof({structure}, {member}) == {offset}, \"{case}: {member}\");"
        );
    }
    text
}

#[test]
fn rows_agree_with_the_cross_compilers_headers() {
    if Command::new(COMPILER).arg("--version").output().is_err() {
        let name = "rows_agree_with_the_cross_compilers_headers";
        test_support::skipped(name, &format!("no {COMPILER} on this machine"));
        return;
    }
    let file = std::env::temp_dir().join(format!("raemu-ioctl-{}.c", std::process::id()));
    for (header, cases) in HEADERS {
        let cases: String = cases
            .lines()
            .map(str::trim)
            .filter(|case| !case.is_empty())
            .map(places)
            .collect();
        let source = format!("{PRELUDE}#include <{header}>\n{cases}{}", numbers());
        std::fs::write(&file, source).expect("the temporary directory is writable");
        let output = Command::new(COMPILER)
            .args(["-fsyntax-only", "-x", "c"])
            .arg(&file)
            .output()
            .expect("the compiler was found above");
        assert!(
            output.status.success(),
            "{header}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    std::fs::remove_file(&file).expect("just written");
}

#[test]
fn each_number_has_one_row_and_each_row_a_name_of_its_own() {
    let mut names: Vec<&str> = table::NAMES.iter().map(|(name, _)| *name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert_eq!(table::name(SIOCGIFCONF), Some("SIOCGIFCONF"));
    assert_eq!(table::name(SPI_IOC_MESSAGE_2), Some("SPI_IOC_MESSAGE"));
    assert_eq!(table::name(0xc030_1234), None);
}
