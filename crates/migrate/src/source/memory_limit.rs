//! The memory limit of the container that this process runs in.

use std::fs;
use std::path::{Path, PathBuf};

/// The smallest limit of the control groups that this process belongs to, in bytes (`memory.max` of version 2,
/// `memory.limit_in_bytes` of version 1); `None` without a limit, and outside Linux.
pub(crate) fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_below(Path::new("/sys/fs/cgroup"), &groups)
}

/// `groups` has a line `hierarchy:controllers:path` for each hierarchy; a limit of a parent holds for its children. In a
/// container the path may be that of the host, which is not mounted there: the root is the container's own group.
fn limit_below(mounted: &Path, groups: &str) -> Option<u64> {
    let limits = groups.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (
            fields.next().unwrap_or_default(),
            fields.next().unwrap_or_default(),
        );
        let (root, file) = match controllers {
            "" => (mounted.to_owned(), "memory.max"),
            controllers if controllers.split(',').any(|name| name == "memory") => {
                (mounted.join("memory"), "memory.limit_in_bytes")
            }
            _ => (PathBuf::new(), ""),
        };
        let own = root.join(path.trim_start_matches('/'));
        let groups = own.ancestors().take_while(|group| group.starts_with(&root));
        groups
            .filter_map(|group| fs::read_to_string(group.join(file)).ok()?.trim().parse().ok())
            .collect::<Vec<u64>>()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::limit_below;

    #[test]
    fn the_smallest_limit_of_the_groups_counts() {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &str, limit: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, limit).unwrap();
        };
        let limit = |groups| limit_below(directory.path(), groups);
        assert_eq!(limit("0::/\n"), None);
        write("memory.max", "max\n");
        assert_eq!(limit("0::/\n"), None);
        write("a/memory.max", "2000\n");
        write("a/b/memory.max", "3000\n");
        assert_eq!(limit("0::/a/b\n"), Some(2000));
        assert_eq!(limit("0::/not/mounted\n"), None);
        write("memory/job/memory.limit_in_bytes", "1000\n");
        assert_eq!(limit("5:cpu,memory:/job\n4:devices:/job\n0::/a/b\n"), Some(1000));
    }
}
