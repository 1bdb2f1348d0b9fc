use crate::os::testing::{marked, sh, start};

#[tokio::test]
async fn many_questions_at_once_have_each_its_answer() {
    let children: Vec<_> =
        (0..20).map(|_| start(&marked(sh("setsid sleep 1000 & echo $!; wait")))).collect();
    let mut asked = Vec::new();
    for (spawned, mut out) in children {
        let apart = out.pid().await;
        asked.push(tokio::spawn(async move {
            let mut pids: Vec<i32> =
                spawned.child.members().await.iter().map(|member| member.pid).collect();
            pids.sort_unstable();
            let mut expected = vec![spawned.child.pid(), apart];
            expected.sort_unstable();
            assert_eq!(pids, expected);
        }));
    }
    for answer in asked {
        answer.await.unwrap();
    }
}

#[tokio::test]
async fn strangers_are_nobodys() {
    let (spawned, _out) = start(&marked(sh("sleep 1000")));
    let members = spawned.child.members().await;
    assert!(!spawned.child.owns(1).await);
    assert!(!spawned.child.owns(i32::try_from(std::process::id()).unwrap()).await);
    assert!(members.iter().any(|member| member.pid == spawned.child.pid()));
}
