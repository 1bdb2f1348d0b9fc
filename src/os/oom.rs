//! What the kernel says of killing for want of memory.

use std::fs;

/// So many processes the kernel has killed for want of memory since the system was started, also in
/// control groups; none where it does not tell.
pub fn kills() -> Option<u64> {
    count(&fs::read_to_string("/proc/vmstat").ok()?)
}

fn count(vmstat: &str) -> Option<u64> {
    vmstat.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_found_among_others() {
        assert_eq!(count("nr_free_pages 1\noom_kill 12\noom_kill_other 3\n"), Some(12));
        assert_eq!(count("nr_free_pages 1\n"), None);
    }
}
