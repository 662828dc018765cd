//! Memory that the members of a team write in disjoint ranges between two barriers, and read after the second one.

use std::marker::PhantomData;
use std::ops::Range;

use super::team::Member;
use crate::kernel::{Line, PanelsMut};

/// A borrowed slice that the members of a team share.
///
/// The rule: between two barriers, a range that one member writes is not accessed by any other. Debug builds record every
/// access and panic on a violation. Tests run whole steps in this way with several numbers of threads.
pub(super) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    #[cfg(debug_assertions)]
    accesses: std::sync::Mutex<Vec<Access>>,
    borrowed: PhantomData<&'a mut [T]>,
}

/// Implemented by [`Line`] only, so that panels can be made of lines only.
pub(super) trait IsLine {}
impl IsLine for Line {}

#[cfg(debug_assertions)]
struct Access {
    phase: usize,
    member: usize,
    range: Range<usize>,
    write: bool,
}

// SAFETY: between two barriers, members on different threads access disjoint ranges, or only read; a barrier orders the
// accesses before it and after it.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    /// Shares a slice until the borrow ends.
    pub(super) fn new(slice: &'a mut [T]) -> Self {
        Shared {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            #[cfg(debug_assertions)]
            accesses: std::sync::Mutex::new(Vec::new()),
            borrowed: PhantomData,
        }
    }

    /// A range that no member writes before the next barrier.
    pub(super) fn read(&self, member: Member<'_>, range: Range<usize>) -> &[T] {
        self.check(member, &range, false);
        // SAFETY: within the slice (checked); by the rule no member writes it before the next barrier.
        unsafe { std::slice::from_raw_parts(self.start.add(range.start), range.len()) }
    }

    /// The whole slice; no member may write it before the next barrier.
    pub(super) fn read_all(&self, member: Member<'_>) -> &[T] {
        self.read(member, 0..self.len)
    }

    /// A range that only this member accesses before the next barrier.
    #[allow(clippy::mut_from_ref)] // the rule of this type stands in for the exclusive borrow
    pub(super) fn write(&self, member: Member<'_>, range: Range<usize>) -> &mut [T] {
        self.check(member, &range, true);
        // SAFETY: within the slice (checked); by the rule no other member accesses it before the next barrier.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }

    /// `panels` runs of `rows` items, `stride` apart, that only this member accesses before the next barrier.
    pub(super) fn write_panels(
        &self,
        member: Member<'_>,
        start: usize,
        stride: usize,
        panels: usize,
        rows: usize,
    ) -> PanelsMut<'_>
    where
        T: IsLine,
    {
        if let Some(last) = panels.checked_sub(1) {
            self.within(&(start..start + last * stride + rows));
        }
        #[cfg(debug_assertions)]
        for panel in 0..panels {
            self.record(member, start + panel * stride..start + panel * stride + rows, true);
        }
        #[cfg(not(debug_assertions))]
        let _ = member;
        // SAFETY: every run is within the slice (checked); by the rule no other member accesses it before the next barrier.
        unsafe { PanelsMut::from_raw(self.start.add(start).cast::<Line>(), stride, panels, rows) }
    }

    fn within(&self, range: &Range<usize>) {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {} items", self.len);
    }

    fn check(&self, member: Member<'_>, range: &Range<usize>, write: bool) {
        self.within(range);
        #[cfg(debug_assertions)]
        self.record(member, range.clone(), write);
        #[cfg(not(debug_assertions))]
        let _ = (member, write);
    }

    #[cfg(debug_assertions)]
    fn record(&self, member: Member<'_>, range: Range<usize>, write: bool) {
        let phase = member.phase();
        let mut accesses = self.accesses.lock().expect("a member panicked");
        accesses.retain(|a| a.phase == phase);
        for a in accesses.iter().filter(|a| a.member != member.index && (a.write || write)) {
            assert!(
                a.range.end <= range.start || range.end <= a.range.start,
                "members {} and {} both touch {range:?} and {:?} in one phase",
                a.member,
                member.index,
                a.range
            );
        }
        accesses.push(Access { phase, member: member.index, range, write });
    }
}

#[cfg(test)]
mod tests {
    use super::super::team::Team;
    use super::*;

    #[test]
    fn disjoint_writes_are_seen_after_a_barrier() {
        let mut items = vec![0usize; 100];
        let shared = Shared::new(&mut items);
        let sums = Team::new(3).run(|member| {
            let share = member.share(100);
            for (i, item) in shared.write(member, share.clone()).iter_mut().enumerate() {
                *item = share.start + i;
            }
            member.barrier();
            shared.read_all(member).iter().sum::<usize>()
        });
        assert_eq!(sums, [4950; 3]);
    }

    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "both touch")]
    fn overlapping_writes_are_found() {
        let mut items = vec![0u8; 4];
        let shared = Shared::new(&mut items);
        Team::new(2).run(|member| {
            shared.write(member, 1..3);
            // The other has surely come, without a barrier.
            std::thread::sleep(std::time::Duration::from_millis(20));
        });
    }
}
