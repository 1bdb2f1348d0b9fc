//! One datagram with its credentials and descriptors. nix gives neither when the control data was cut short, and would leak
//! the descriptors that did arrive; rustix has no room for the pid 0 of a foreign pid namespace.
#![expect(unsafe_code, reason = "control messages are read where the kernel has put them")]

use std::{
    io, mem,
    os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
    ptr,
};

/// Room for credentials and a few descriptors, aligned as a `cmsghdr` must be. What does not fit, the kernel closes.
const CONTROL_WORDS: usize = 16;

/// What came.
#[derive(Debug)]
pub(super) struct Received {
    /// So many bytes of the buffer are filled.
    pub(super) length: usize,
    /// Pid and uid.
    pub(super) sender: Option<(i32, u32)>,
    pub(super) fds: Vec<OwnedFd>,
}

pub(super) fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<Received> {
    let mut control = [0_u64; CONTROL_WORDS];
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all zeroes is a valid empty message header.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control);
    let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;
    // SAFETY: the header points at buffers of the given sizes, which outlive the call.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    let (sender, fds) = unpack(&header);
    Ok(Received { length, sender, fds })
}

/// Takes every descriptor, also out of truncated control data: what is not taken is leaked.
fn unpack(header: &libc::msghdr) -> (Option<(i32, u32)>, Vec<OwnedFd>) {
    let (mut sender, mut fds) = (None, Vec::new());
    // SAFETY: the kernel has filled the control buffer, which is still there, and set its length.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give null or a whole header inside the buffer.
        let message = unsafe { *next };
        // SAFETY: as above; the data follows the header.
        let data = unsafe { libc::CMSG_DATA(next) };
        // SAFETY: pure arithmetic.
        let head = unsafe { libc::CMSG_LEN(0) } as usize;
        let length = message.cmsg_len.saturating_sub(head);
        match (message.cmsg_level, message.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                // SAFETY: the length was checked; any bytes are a valid `ucred`.
                let by = unsafe { ptr::read_unaligned(data.cast::<libc::ucred>()) };
                sender = Some((by.pid, by.uid));
            }
            (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                for index in 0..length / size_of::<libc::c_int>() {
                    // SAFETY: the index is within the length that the kernel has filled.
                    let fd = unsafe {
                        ptr::read_unaligned(
                            data.add(index * size_of::<libc::c_int>()).cast::<libc::c_int>(),
                        )
                    };
                    // SAFETY: the kernel has just made this descriptor for us; nobody else knows it.
                    fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
                }
            }
            _ => {}
        }
        // SAFETY: `next` is a header inside of the buffer.
        next = unsafe { libc::CMSG_NXTHDR(header, next) };
    }
    (sender, fds)
}
