//! Datagrams and the notes in them.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(datagram: &[u8], expected: &[Note]) {
    assert_eq!(parse(datagram), expected, "{:?}", String::from_utf8_lossy(datagram));
}

#[test]
fn each_assignment_is_understood() {
    check(b"READY=1", &[Note::Ready]);
    check(b"STOPPING=1\n", &[Note::Stopping]);
    check(b"RELOADING=1\nMONOTONIC_USEC=123", &[Note::Reloading]);
    check(b"WATCHDOG=1", &[Note::Watchdog]);
    check(b"WATCHDOG=trigger", &[Note::WatchdogTrigger]);
    check(b"WATCHDOG_USEC=1500000", &[Note::WatchdogUsec(Duration::from_millis(1500))]);
    check(b"EXTEND_TIMEOUT_USEC=20", &[Note::ExtendTimeout(Duration::from_micros(20))]);
    check(b"MAINPID=4130", &[Note::MainPid(4130)]);
    check(b"BARRIER=1", &[Note::Barrier]);
    check(b"STATUS=warming up", &[Note::Status("warming up".into())]);
}

#[test]
fn several_assignments_keep_their_order() {
    check(
        b"STATUS=a=b\nREADY=1\nWATCHDOG=1\n",
        &[Note::Status("a=b".into()), Note::Ready, Note::Watchdog],
    );
}

#[test]
fn garbage_beside_a_note_does_no_harm() {
    check(b"", &[]);
    check(b"\n\n==\nREADY\nREADY=0\nREADY=11\nready=1\n READY=1", &[]);
    check(b"MAINPID=0\nMAINPID=1\nMAINPID=-4\nMAINPID=99999999999\nWATCHDOG_USEC=x", &[]);
    check(b"\xff\xfe=\x00\nX_OWN=1\nREADY=1", &[Note::Ready]);
}

#[test]
fn terminators_of_c_and_dos_are_dropped_but_a_nul_inside_is_garbage() {
    check(b"READY=1\0", &[Note::Ready]);
    check(b"READY=1\r\nSTOPPING=1\r\n", &[Note::Ready, Note::Stopping]);
    check(b"STATUS=a\0b\nREADY=1", &[Note::Ready]);
    check(b"READY=1\0STOPPING=1", &[]);
}

#[test]
fn a_status_is_one_harmless_bounded_line() {
    check(b"STATUS=", &[Note::Status(String::new())]);
    check(b"STATUS=\x1b[31mred\x07\tend", &[Note::Status("[31mredend".into())]);
    check("STATUS=a\u{202e}b".as_bytes(), &[Note::Status("ab".into())]);
    check(b"STATUS=caf\xe9", &[Note::Status("caf\u{fffd}".into())]);
    let long = format!("STATUS={}", "é".repeat(1000));
    check(long.as_bytes(), &[Note::Status("é".repeat(512))]);
}

#[test]
fn what_is_too_long_is_cut_after_a_whole_line() {
    let mut long = b"READY=1\nEXTEND_TIMEOUT_USEC=".to_vec();
    long.resize(MAX_DATAGRAM + 10, b'1');
    check(&long, &[Note::Ready]);
    check(&vec![b'A'; 1 << 20], &[]);
}

proptest! {
    #[test]
    fn no_datagram_makes_it_panic_or_grow(datagram in prop::collection::vec(any::<u8>(), 0..9000)) {
        for note in parse(&datagram) {
            if let Note::Status(text) = note {
                prop_assert!(text.len() <= MAX_STATUS && !text.contains(char::is_control));
            }
        }
    }
}
