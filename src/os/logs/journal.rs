//! What has been read of an output and is not in its log yet, where SIGKILL does not reach it: in memory
//! that the heart holds as well.
//!
//! One turn of a pump at a time: [`Journal::begin`], bytes are read into the journal itself, the log is
//! told of ([`Journal::appends`]), written, [`Journal::done`]. Whatever the moment of a death, the next
//! daemon finds the bytes that have left the kernel and takes the turn again from its beginning.

#![expect(unsafe_code, reason = "memory that is shared with the heart by a descriptor")]

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::{Path, PathBuf},
    ptr::{self, NonNull},
    slice,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{MemfdFlags, fstat, ftruncate, memfd_create},
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

use super::pump::TURN;
use crate::core::log::Stream;

/// The bytes begin after so many.
const HEAD: usize = 4096;
/// The path begins after so many.
const PATH: usize = 128;
/// The first word: nobody else's memory looks like that, and another version has another one.
pub(in crate::os) const MAGIC: u64 = 0x6c6f_6361_6c64_0001;

/// The words of the head, by number.
#[derive(Clone, Copy)]
enum Word {
    Magic,
    /// 0: nothing is under way, 1: reading, 2: writing.
    Stage,
    /// Counts turns.
    Turn,
    /// So many bytes are known to be read.
    Length,
    Stream,
    PathLength,
    /// The file that is written, and its length before.
    Device,
    Inode,
    Before,
}

/// The memory.
#[derive(Debug)]
pub(super) struct Journal {
    /// Words come first.
    base: NonNull<u64>,
}

// SAFETY: the memory belongs to the value alone and is not bound to a thread.
unsafe impl Send for Journal {}

/// A turn that was not finished.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Begun {
    pub(super) turn: u64,
    pub(super) path: PathBuf,
    pub(super) stream: Stream,
    pub(super) bytes: Vec<u8>,
    /// Device, inode and former length of the file, if it may have been written.
    pub(super) file: Option<(u64, u64, u64)>,
}

impl Journal {
    /// The journal in `kept`, or a new one, with the descriptor that is to be kept.
    pub(super) fn open(kept: Option<OwnedFd>) -> io::Result<(Self, OwnedFd)> {
        let size = (HEAD + TURN) as u64;
        let fits = |fd: &OwnedFd| fstat(fd).is_ok_and(|stat| stat.st_size.cast_unsigned() == size);
        if let Some(fd) = kept.filter(fits) {
            let journal = Self::map(&fd)?;
            if journal.word(Word::Magic) == MAGIC {
                return Ok((journal, fd));
            }
        }
        let fd = memfd_create("locald-journal", MemfdFlags::CLOEXEC)?;
        ftruncate(&fd, size)?;
        let journal = Self::map(&fd)?;
        journal.set(Word::Magic, MAGIC);
        Ok((journal, fd))
    }

    /// The turn that was not finished, if one was not.
    pub(super) fn begun(&self) -> Option<Begun> {
        let stage = self.word(Word::Stage);
        let length = usize::try_from(self.word(Word::Length)).ok()?.min(TURN);
        let path = usize::try_from(self.word(Word::PathLength)).ok()?;
        if stage == 0 || PATH + path > HEAD {
            return None;
        }
        let data = self.data();
        // The rest was zero before: what the last read has brought is there, counted or not.
        let more = data[length..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        // SAFETY: within the mapping, by the check above.
        let path = unsafe { slice::from_raw_parts(self.byte(PATH), path) };
        Some(Begun {
            turn: self.word(Word::Turn),
            path: std::ffi::OsString::from_vec(path.to_vec()).into(),
            stream: if self.word(Word::Stream) == 0 { Stream::Out } else { Stream::Err },
            bytes: data[..length + more].to_vec(),
            file: (stage == 2).then(|| {
                [Word::Device, Word::Inode, Word::Before].map(|word| self.word(word)).into()
            }),
        })
    }

    /// A turn begins; its number. The bytes are zero.
    pub(super) fn begin(&self, path: &Path, stream: Stream) -> u64 {
        let bytes = path.as_os_str().as_bytes();
        let turn = self.word(Word::Turn) + 1;
        if PATH + bytes.len() > HEAD {
            // No such path is opened either.
            return turn;
        }
        // SAFETY: within the mapping, by the check above.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.byte(PATH), bytes.len());
        };
        self.set(Word::PathLength, bytes.len() as u64);
        self.set(Word::Stream, u64::from(stream != Stream::Out));
        self.set(Word::Length, 0);
        self.set(Word::Turn, turn);
        self.set(Word::Stage, 1);
        turn
    }

    /// Where to read to.
    pub(super) fn room(&mut self) -> &mut [u8] {
        // SAFETY: within the mapping, which the value owns and lends here exclusively.
        unsafe { slice::from_raw_parts_mut(self.byte(HEAD), TURN) }
    }

    /// So many bytes have been read in this turn.
    pub(super) fn has(&self, length: usize) {
        self.set(Word::Length, length as u64);
    }

    /// From here on the file may grow.
    pub(super) fn appends(&self, device: u64, inode: u64, before: u64) {
        self.set(Word::Device, device);
        self.set(Word::Inode, inode);
        self.set(Word::Before, before);
        self.set(Word::Stage, 2);
    }

    /// All of it is in the log.
    pub(super) fn done(&mut self) {
        let length = usize::try_from(self.word(Word::Length)).unwrap_or(TURN).min(TURN);
        self.set(Word::Stage, 0);
        self.room()[..length].fill(0);
        self.set(Word::Length, 0);
    }

    /// Forgets a turn that was taken again.
    pub(super) fn forget(&mut self) {
        self.set(Word::Stage, 0);
        self.room().fill(0);
        self.set(Word::Length, 0);
    }

    fn map(fd: impl AsFd) -> io::Result<Self> {
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: a fresh mapping, wherever the kernel likes; the file has that size.
        let base = unsafe { mmap(ptr::null_mut(), HEAD + TURN, prot, flags, fd, 0) }?;
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base })
    }

    fn data(&self) -> &[u8] {
        // SAFETY: within the mapping; nobody writes while `self` is borrowed.
        unsafe { slice::from_raw_parts(self.byte(HEAD), TURN) }
    }

    fn word(&self, word: Word) -> u64 {
        self.at(word).load(Ordering::SeqCst)
    }

    /// In this order for whoever looks after our death.
    fn set(&self, word: Word, value: u64) {
        self.at(word).store(value, Ordering::SeqCst);
    }

    /// Nothing is done with what is beyond the mapping.
    fn byte(&self, at: usize) -> *mut u8 {
        self.base.as_ptr().cast::<u8>().wrapping_add(at)
    }

    fn at(&self, word: Word) -> &AtomicU64 {
        // SAFETY: within the head, aligned like its page, and only ever used as an atomic.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(word as usize)) }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, and nothing borrows it any more. It cannot fail for a mapping.
        let _unmapped = unsafe { munmap(self.base.as_ptr().cast(), HEAD + TURN) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(fd: &OwnedFd) -> Journal {
        Journal::open(Some(fd.try_clone().unwrap())).unwrap().0
    }

    #[test]
    fn an_unfinished_turn_is_found_whatever_was_told_of_it() {
        let (mut journal, fd) = Journal::open(None).unwrap();
        assert_eq!(again(&fd).begun(), None);
        let turn = journal.begin(Path::new("/logs/a/b.log"), Stream::Err);
        journal.room()[..6].copy_from_slice(b"a\n\0b\nc");
        let begun = again(&fd).begun().unwrap();
        assert_eq!((begun.turn, &*begun.bytes, begun.file), (turn, &b"a\n\0b\nc"[..], None));
        assert_eq!((begun.path, begun.stream), (PathBuf::from("/logs/a/b.log"), Stream::Err));
        journal.has(6);
        journal.appends(1, 2, 3);
        assert_eq!(again(&fd).begun().unwrap().file, Some((1, 2, 3)));
        journal.done();
        assert_eq!(again(&fd).begun(), None);
        assert_eq!(journal.begin(Path::new("/x"), Stream::Out), turn + 1);
        assert_eq!(again(&fd).begun().unwrap().bytes, b"", "nothing of the turn before");
    }

    #[test]
    fn memory_of_another_form_is_not_misread() {
        let fd = memfd_create("other", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&fd, (HEAD + TURN) as u64).unwrap();
        rustix::io::write(&fd, &[7; 100]).unwrap();
        let (journal, _) = Journal::open(Some(fd)).unwrap();
        assert_eq!(journal.begun(), None);
    }
}
