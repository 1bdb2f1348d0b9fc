use super::*;

fn open(path: &Path) -> (Diary, Vec<String>) {
    let mut read = Vec::new();
    let diary = Diary::open(path, |lines| {
        read = lines;
        read.len() as u64
    });
    (diary.unwrap(), read)
}

fn add(diary: &Diary, text: &str) -> u64 {
    let mut told = 0;
    diary.add(|number| (format!("{number} {text}"), number), |number| told = number);
    told
}

#[test]
fn a_large_file_makes_room_and_both_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("diary");
    let (diary, none) = open(&path);
    assert!(none.is_empty());
    let long = "x".repeat(100_000);
    for number in 1..=60 {
        assert_eq!(add(&diary, &long), number);
    }
    let total: u64 =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    assert!(total < 2 * SIZE + 200_000, "{total} bytes");
    let (diary, lines) = open(&path);
    assert!((21..60).contains(&lines.len()), "{} lines", lines.len());
    let numbers = lines.iter().map(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap());
    let numbers: Vec<u64> = numbers.collect();
    assert_eq!(numbers.last(), Some(&60));
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    drop(diary);
}

#[test]
fn all_are_told_in_order_whoever_adds_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("diary");
    let (diary, _) = open(&path);
    let told = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let line = |number: u64| (number.to_string(), number);
                    diary.add(line, |number| told.lock().unwrap().push(number));
                }
            });
        }
    });
    assert_eq!(*told.lock().unwrap(), (1..=800).collect::<Vec<u64>>());
    let written: Vec<u64> = open(&path).1.iter().map(|line| line.parse().unwrap()).collect();
    assert_eq!(written, *told.lock().unwrap());
}

#[test]
fn a_disk_that_takes_nothing_keeps_nobody_waiting_and_gets_all_of_it_later() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("diary");
    let (diary, _) = open(&path);
    assert_eq!(add(&diary, "one"), 1);
    // No space is left on this one, ever.
    let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
    let swap = |file: File| {
        let mut pen = diary.0.lock().unwrap();
        pen.again = None;
        std::mem::replace(&mut pen.book.as_mut().unwrap().file, file)
    };
    let good = swap(full);
    assert_eq!((add(&diary, "two"), add(&diary, "three")), (2, 3));
    assert_eq!(fs::read_to_string(&path).unwrap(), "1 one\n");
    swap(good);
    assert_eq!(add(&diary, "four"), 4);
    assert_eq!(fs::read_to_string(&path).unwrap(), "1 one\n2 two\n3 three\n4 four\n");
}
