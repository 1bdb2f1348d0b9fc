//! Gives back memory that holds nothing of our own: pages of the program and its libraries that are as
//! they are on disk. A process that sleeps nearly always needs few of them.
#![expect(unsafe_code, reason = "madvise may throw data away; here it throws away none")]

use std::{ffi::c_void, fs, io, num::NonZeroUsize, ops::Range, ptr::NonNull};

use nix::sys::mman::{MmapAdvise, madvise};

/// Lets go of them; what is needed again is read again. Only for a process without other threads.
pub fn shed() -> io::Result<()> {
    for range in unchanged(&fs::read_to_string("/proc/self/smaps")?) {
        let Some(start) = NonZeroUsize::new(range.start) else { continue };
        // SAFETY: no page of this mapping differs from the file (nothing in it is anonymous), nobody may
        // write to it, and there is no other thread that could change that: a page that is read
        // after this is the same one (madvise(2), MADV_DONTNEED).
        unsafe {
            madvise(
                NonNull::<c_void>::without_provenance(start),
                range.len(),
                MmapAdvise::MADV_DONTNEED,
            )
        }?;
    }
    Ok(())
}

/// The mappings of files that nobody may write to, and nobody has: `proc_pid_smaps(5)`.
fn unchanged(smaps: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut of_file = None;
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        if first == "Anonymous:" {
            let range: Option<Range<usize>> = of_file.take();
            found.extend(range.filter(|_| words.next() == Some("0")));
        } else if !first.ends_with(':') {
            let is_read_only = words.next().is_some_and(|mode| mode.starts_with("r-"));
            let is_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
            of_file = range(first).filter(|_| is_read_only && is_file);
        }
    }
    found
}

fn range(text: &str) -> Option<Range<usize>> {
    let (start, end) = text.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_as_it_is_on_disk_is_let_go() {
        let of = |head: &str, anonymous: &str| {
            format!("{head}\nSize:  8 kB\nRss:  8 kB\nAnonymous:  {anonymous} kB\nVmFlags: rd mr\n")
        };
        let smaps = [
            of("1000-3000 r--p 00000000 08:01 17   /bin/locald", "0"),
            of("3000-5000 r-xp 00002000 08:01 17   /bin/locald", "0"),
            // Relocated, then protected.
            of("5000-7000 r--p 00004000 08:01 17   /bin/locald", "8"),
            of("7000-9000 rw-p 00006000 08:01 17   /bin/locald", "0"),
            of("9000-b000 rw-p 00000000 00:00 0    [heap]", "0"),
            of("b000-d000 r-xp 00000000 00:00 0    [vdso]", "0"),
            of("d000-f000 r--p 00000000 00:00 0", "0"),
        ];
        assert_eq!(unchanged(&smaps.concat()), [0x1000..0x3000, 0x3000..0x5000]);
    }
}
