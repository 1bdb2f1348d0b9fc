//! Which leaves are kept.

/// So many leaves are kept.
pub const CAPACITY: usize = 1024;

/// Which of those have to go so that no more than `capacity` stay: those used longest ago. Each comes with
/// the number of its last use. Asks for some room more than needed, so that a scan does not sort
/// everything for every name.
pub fn evictions<K>(uses: impl Iterator<Item = (K, u64)>, capacity: usize) -> Vec<K> {
    let mut uses: Vec<(K, u64)> = uses.collect();
    if uses.len() <= capacity {
        return Vec::new();
    }
    let surplus = (uses.len() - capacity + capacity / 16).min(uses.len());
    uses.select_nth_unstable_by_key(surplus - 1, |(_, used)| *used);
    uses.truncate(surplus);
    uses.into_iter().map(|(name, _)| name).collect()
}
