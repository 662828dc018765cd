//! The memory that is available to the process.

use std::fs;
use std::path::{Path, PathBuf};

/// Available memory in bytes: the least of what the system has left and of what remains under the limits of the control
/// group, the address space and the data segment. `None` if the system reports none of these.
pub(crate) fn available() -> Option<f64> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (system, limits, status) = (read("/proc/meminfo"), read("/proc/self/limits"), read("/proc/self/status"));
    let system = kilobytes(&system, "MemAvailable:");
    let left = |name, used| limit(&limits, name).zip(kilobytes(&status, used)).map(|(limit, used)| limit - used);
    let (space, data) = (left("Max address space", "VmSize:"), left("Max data size", "VmData:"));
    [system, space, data, control_group(&read("/proc/self/cgroup"))].into_iter().flatten().reduce(f64::min)
}

/// The most bytes of memory that the process has had at a time, as the system tells them.
pub(crate) fn peak() -> Option<f64> {
    kilobytes(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// A number of bytes, as messages write it.
pub(crate) fn size(bytes: f64) -> String {
    if bytes < 1e9 { format!("{:.0} MB", bytes / 1e6) } else { format!("{:.1} GB", bytes / 1e9) }
}

/// The value of a line such as `VmSize:  1234 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib * 1024.0)
}

/// The soft limit from a line such as `Max address space  1500000000  unlimited  bytes`.
fn limit(limits: &str, name: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Memory that is left in the process's control group and the groups above it, whichever has least. The inactive file
/// cache counts as free.
fn control_group(groups: &str) -> Option<f64> {
    const ROOT: &str = "/sys/fs/cgroup";
    let group = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?.trim_start_matches('/'));
        let memory = controllers.split(',').any(|name| name == "memory");
        let names = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"];
        match controllers {
            "" => Some((PathBuf::from(ROOT), path.to_owned(), ["memory.max", "memory.current", "inactive_file"])),
            _ => memory.then(|| (Path::new(ROOT).join("memory"), path.to_owned(), names)),
        }
    };
    let left = |(root, path, names): (PathBuf, String, [&str; 3])| {
        let folders: Vec<PathBuf> = Path::new(&path).ancestors().map(|part| root.join(part)).collect();
        folders.iter().filter_map(|folder| left_in_group(folder, names)).reduce(f64::min)
    };
    groups.lines().filter_map(group).filter_map(left).reduce(f64::min)
}

fn left_in_group(folder: &Path, [limit, used, cached]: [&str; 3]) -> Option<f64> {
    let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<f64>().ok();
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let cached = statistics.lines().find_map(|line| line.strip_prefix(cached)?.trim().parse::<f64>().ok());
    Some(number(limit)? - (number(used)? - cached.unwrap_or(0.0)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_among_the_lines() {
        let limits = "Limit   Soft Limit  Hard Limit  Units\nMax address space   1500000000   unlimited   bytes\n";
        assert_eq!(limit(limits, "Max address space"), Some(1.5e9));
        assert_eq!(limit("Max data size   unlimited   unlimited   bytes\n", "Max data size"), None);
        assert_eq!(kilobytes("VmPeak:\t 9 kB\nVmSize:\t  2 kB\n", "VmSize:"), Some(2048.0));
    }

    #[test]
    fn a_group_leaves_its_limit_less_what_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let files =
            [("memory.max", "1000\n"), ("memory.current", "700\n"), ("memory.stat", "anon 5\ninactive_file 300\n")];
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        let names = ["memory.max", "memory.current", "inactive_file"];
        assert_eq!(left_in_group(folder.path(), names), Some(600.0));
        fs::write(folder.path().join("memory.max"), "max\n").unwrap();
        assert_eq!(left_in_group(folder.path(), names), None);
    }
}
