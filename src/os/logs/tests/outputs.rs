//! What is printed is stored, to the last byte, whoever holds the other end.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test]
async fn a_log_is_text_for_people_and_for_the_owner_only() {
    let world = World::new(1_000_000, 3);
    let (mut out, mut out_pump) = world.pipe(Stream::Out);
    out.write_all(b"Listening on 3000\n").unwrap();
    drop(out);
    soon(out_pump.drained()).await;
    let (mut err, mut err_pump) = world.pipe(Stream::Err);
    err.write_all(b"\x1b[31moh\x1b[0m \xff\n").unwrap();
    drop(err);
    soon(err_pump.drained()).await;
    world.sink.note("stopped\nand left");
    world.sink.settled().await;

    let bytes = std::fs::read(world.path()).unwrap();
    let lines: Vec<&[u8]> = bytes.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n').collect();
    let rests: Vec<&[u8]> = lines.iter().map(|line| &line[24..]).collect();
    let expected: [&[u8]; 4] = [
        b" out Listening on 3000",
        b" err \x1b[31moh\x1b[0m \xff",
        b" sys locald: stopped",
        b" sys locald: and left",
    ];
    assert_eq!(rests, expected);
    assert!(lines.iter().all(|line| line.starts_with(b"20") && line[23] == b'Z'));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.path()), 0o600);
    assert_eq!(mode(world.path().parent().unwrap()), 0o700);
}

#[tokio::test]
async fn a_last_line_without_its_end_is_completed_once() {
    let world = World::new(1_000_000, 3);
    world.print(b"one\ntwo").await;
    world.print(b"three\n").await;
    world.print(b"").await;
    assert_eq!(world.texts(), ["one", "two", "three"]);
}

#[tokio::test]
async fn a_terminal_ends_when_the_last_holder_is_gone() {
    let world = World::new(1_000_000, 3);
    let (master, mut slave) = pty();
    let mut pump = world.sink.attach(master, Stream::Out);
    let second = slave.try_clone().unwrap();
    slave.write_all(b"one\ntwo\n10%\r20%\nprompt> ").unwrap();
    drop(slave);
    let early = tokio::time::timeout(Duration::from_millis(50), pump.drained()).await;
    assert!(early.is_err(), "a second holder is there");
    drop(second);
    assert_eq!(soon(pump.drained()).await, Drained::Ended);
    assert_eq!(world.texts(), ["one", "two", "10%\r20%", "prompt> "]);
}

#[tokio::test]
async fn an_orphan_that_keeps_the_terminal_open_is_given_up() {
    let world = World::new(1_000_000, 3);
    let (master, mut orphan) = pty();
    let pump = world.sink.attach(master, Stream::Out);
    orphan.write_all(b"one\nunfinished").unwrap();
    assert_eq!(soon(pump.stop_within(Duration::from_millis(50))).await, Drained::GivenUp);
    assert_eq!(world.texts(), ["one", "unfinished"]);
    assert!(orphan.write_all(b"x").is_err(), "the terminal is hung up");
}

#[tokio::test]
async fn an_orphan_that_floods_is_given_up_too() {
    let world = World::new(1_000_000, 1);
    let (mut output, pump) = world.pipe(Stream::Out);
    let flood = std::thread::spawn(move || while output.write_all(&[b'\n'; 4096]).is_ok() {});
    assert_eq!(soon(pump.stop_within(Duration::from_millis(50))).await, Drained::GivenUp);
    flood.join().unwrap();
}

#[tokio::test]
async fn a_pump_that_nobody_holds_still_stores_what_is_on_its_way() {
    let world = World::new(1_000_000, 3);
    let mut follower = world.follower(Start::Now).await;
    let (mut output, pump) = world.pipe(Stream::Out);
    drop(pump);
    output.write_all(b"dying words").unwrap();
    assert_eq!(next(&mut follower).await, ["dying words"]);
    assert!(output.write_all(b"x").is_err(), "nobody reads any more");
}

#[tokio::test]
async fn a_line_without_end_is_stored_in_pieces() {
    let world = World::new(10_000_000, 3);
    let long = vec![b'x'; 200_000];
    world.print(&[&long[..], b"\nshort\n"].concat()).await;
    let texts = world.texts();
    let lens: Vec<usize> = texts.iter().map(String::len).collect();
    assert_eq!(lens, [65_536, 65_536, 65_536, 3392, 5]);
    let file = std::fs::read_to_string(world.path()).unwrap();
    let marks: String = file.lines().map(|line| &line[25..29]).collect();
    assert_eq!(marks, "out+out+out+out out ");
}

#[tokio::test]
async fn a_flood_does_not_keep_others_waiting() {
    let world = World::new(1_000_000, 1);
    let flooded = world.plane.sink(world.folder.path().join("logs/shop/flood.log"));
    let (read, write) = pipe2(OFlag::O_CLOEXEC).unwrap();
    let pump = flooded.attach(read, Stream::Out);
    let mut output = File::from(write);
    let flood = std::thread::spawn(move || {
        let block = [&[b'x'; 99][..], b"\n"].concat().repeat(600);
        while output.write_all(&block).is_ok() {}
    });
    let mut follower = world.follower(Start::Now).await;
    let (mut quiet, _pump) = world.pipe(Stream::Out);
    for n in 0..20 {
        quiet.write_all(format!("{n}\n").as_bytes()).unwrap();
        assert_eq!(next(&mut follower).await, [n.to_string()]);
    }
    soon(pump.stop_within(Duration::ZERO)).await;
    flood.join().unwrap();
}

#[tokio::test]
async fn a_hundred_thousand_lines_of_a_fast_service_are_all_there() {
    let world = World::new(1_000_000_000, 1);
    world.print(&numbered(100_000)).await;
    let texts = world.texts();
    assert_eq!(texts.len(), 100_000);
    assert!(texts.iter().enumerate().all(|(n, text)| *text == format!("line {n}")));
}

#[tokio::test]
async fn five_hundred_outputs_at_once() {
    let world = World::new(1_000_000, 1);
    let mut pumps = Vec::new();
    for n in 0..500 {
        let path = world.folder.path().join(format!("logs/shop/{n}.log"));
        let (read, write) = pipe2(OFlag::O_CLOEXEC).unwrap();
        pumps.push((world.plane.sink(path.clone()).attach(read, Stream::Out), path, write));
    }
    for (n, (mut pump, path, write)) in pumps.into_iter().enumerate() {
        File::from(write).write_all(format!("service {n}").as_bytes()).unwrap();
        assert_eq!(soon(pump.drained()).await, Drained::Ended);
        assert_eq!(texts_in(&path), [format!("service {n}")]);
    }
}
