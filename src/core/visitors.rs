//! Who may use the dashboard: invitations that are good once and soon, and the sessions that come of them. All
//! secrets are made elsewhere, and time is told in durations since the daemon began.

use std::{collections::VecDeque, time::Duration};

/// How long an invitation is good.
pub const INVITED: Duration = Duration::from_mins(1);
/// A session that is not used for so long is over.
const IDLE: Duration = Duration::from_hours(24);
/// So many invitations are open at once; the oldest gives way.
const MOST_INVITATIONS: usize = 16;
/// So many sessions there are; the one that was used longest ago gives way.
const MOST_SESSIONS: usize = 32;

/// All invitations and sessions.
#[derive(Debug, Default)]
pub struct Visitors {
    invitations: VecDeque<(String, Duration)>,
    /// The one that was used last stands last.
    sessions: VecDeque<Session>,
}

#[derive(Debug)]
struct Session {
    key: String,
    /// What commands of this session must show besides.
    token: String,
    used: Duration,
}

impl Visitors {
    /// Whoever shows this is let in, once.
    pub fn invite(&mut self, now: Duration, invitation: String) {
        self.forget(now);
        if self.invitations.len() == MOST_INVITATIONS {
            self.invitations.pop_front();
        }
        self.invitations.push_back((invitation, now + INVITED));
    }

    /// Begins a session with this key and token, if the invitation is good; it is used up then.
    pub fn admit(&mut self, now: Duration, invitation: &str, key: String, token: String) -> bool {
        self.forget(now);
        let place = self.invitations.iter().position(|(known, _)| same(known, invitation));
        let Some(place) = place else { return false };
        self.invitations.remove(place);
        if self.sessions.len() == MOST_SESSIONS {
            self.sessions.pop_front();
        }
        self.sessions.push_back(Session { key, token, used: now });
        true
    }

    /// The token of the session with this key; it has been used now.
    pub fn token(&mut self, now: Duration, key: &str) -> Option<String> {
        self.forget(now);
        let place = self.sessions.iter().position(|session| same(&session.key, key))?;
        let mut session = self.sessions.remove(place)?;
        session.used = now;
        let token = session.token.clone();
        self.sessions.push_back(session);
        Some(token)
    }

    /// Ends a session.
    pub fn leave(&mut self, key: &str) {
        self.sessions.retain(|session| !same(&session.key, key));
    }

    fn forget(&mut self, now: Duration) {
        self.invitations.retain(|(_, until)| now < *until);
        self.sessions.retain(|session| now < session.used + IDLE);
    }
}

/// Whether two secrets are the same, in a time that does not tell how much of them is.
pub fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let differ = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && !one.is_empty() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn invited() -> Visitors {
        let mut visitors = Visitors::default();
        visitors.invite(NOW, "come".into());
        visitors
    }

    fn admit(visitors: &mut Visitors, now: Duration, invitation: &str) -> bool {
        visitors.admit(now, invitation, "key".into(), "token".into())
    }

    #[test]
    fn an_invitation_is_good_once() {
        let mut visitors = invited();
        assert!(!admit(&mut visitors, NOW, "comf"));
        assert!(!admit(&mut visitors, NOW, ""));
        assert!(admit(&mut visitors, NOW, "come"));
        assert!(!admit(&mut visitors, NOW, "come"));
        assert_eq!(visitors.token(NOW, "key").as_deref(), Some("token"));
        assert_eq!(visitors.token(NOW, "other"), None);
        assert_eq!(visitors.token(NOW, ""), None);
    }

    #[test]
    fn an_invitation_is_good_for_a_minute() {
        assert!(admit(
            &mut invited(),
            NOW + INVITED.saturating_sub(Duration::from_millis(1)),
            "come"
        ));
        assert!(!admit(&mut invited(), NOW + INVITED, "come"));
    }

    #[test]
    fn a_session_ends_when_it_is_left_or_forgotten() {
        let mut visitors = invited();
        assert!(admit(&mut visitors, NOW, "come"));
        let nearly = IDLE.saturating_sub(Duration::from_secs(1));
        let later = NOW + nearly;
        assert!(visitors.token(later, "key").is_some());
        assert!(visitors.token(later + nearly, "key").is_some());
        assert!(visitors.token(later + IDLE * 3, "key").is_none());
        let mut visitors = invited();
        assert!(admit(&mut visitors, NOW, "come"));
        visitors.leave("key");
        assert!(visitors.token(NOW, "key").is_none());
    }

    #[test]
    fn neither_grows_without_end() {
        let mut visitors = Visitors::default();
        for nth in 0..100 {
            visitors.invite(NOW, format!("a{nth}"));
        }
        assert!(!admit(&mut visitors, NOW, "a1"));
        assert!(admit(&mut visitors, NOW, "a99"));
        for nth in 0..100 {
            visitors.invite(NOW, format!("b{nth}"));
            assert!(visitors.admit(NOW, &format!("b{nth}"), format!("k{nth}"), "t".into()));
            // Whoever is there stays.
            assert!(visitors.token(NOW, "key").is_some());
        }
        assert!(visitors.token(NOW, "k0").is_none() && visitors.token(NOW, "k99").is_some());
        assert_eq!(visitors.sessions.len(), MOST_SESSIONS);
    }
}
