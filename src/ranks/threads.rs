//! Ranks that are threads of one process, as for several devices of one machine.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Ranks;
use crate::{Error, Result};

/// So many ranks of one process. Each is for a thread of its own; where one is dropped, the others' calls fail.
pub fn in_threads(count: u32) -> Vec<Arc<dyn Ranks>> {
    let meeting = Arc::new(Meeting { count: count as usize, ..Meeting::default() });
    (0..count)
        .map(|rank| Arc::new(Thread { rank, meeting: Arc::clone(&meeting) }) as Arc<dyn Ranks>)
        .collect()
}

#[derive(Debug)]
struct Thread {
    rank: u32,
    meeting: Arc<Meeting>,
}

#[derive(Debug, Default)]
struct Meeting {
    count: usize,
    table: Mutex<Table>,
    changed: Condvar,
}

// What lies there in a round: it begins when all have taken theirs of the one before.
#[derive(Debug, Default)]
struct Table {
    brought: Vec<Option<Vec<f64>>>,
    taken: usize,
    left: Option<u32>,
}

impl Thread {
    // As [`Thread::meet`], where all bring as many numbers.
    fn meet_alike(&self, own: Vec<f64>, read: impl FnOnce(&[Vec<f64>])) -> Result<()> {
        let count = own.len();
        self.meet(own, |all| match all.iter().find(|of| of.len() != count) {
            Some(other) => {
                Err(Error::shape("ranks", format!("{count} numbers of each, as of this one"), other.len()))
            }
            None => {
                read(all);
                Ok(())
            }
        })?
    }

    // Brings numbers, waits for those of all, and reads them.
    fn meet<T>(&self, own: Vec<f64>, read: impl FnOnce(&[Vec<f64>]) -> T) -> Result<T> {
        let Meeting { count, ref table, ref changed } = *self.meeting;
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        // The round before is over when all have taken theirs.
        table = self.wait(table, |table| table.taken == 0)?;
        table.brought.resize(count, None);
        table.brought[self.rank as usize] = Some(own);
        changed.notify_all();
        table = self.wait(table, |table| table.taken > 0 || table.brought.iter().all(Option::is_some))?;
        let all: Vec<Vec<f64>> = table.brought.iter().flatten().cloned().collect();
        table.taken += 1;
        if table.taken == count {
            (table.taken, table.brought) = (0, Vec::new());
        }
        changed.notify_all();
        drop(table);
        Ok(read(&all))
    }

    fn wait<'a>(
        &self,
        mut table: MutexGuard<'a, Table>,
        ready: impl Fn(&Table) -> bool,
    ) -> Result<MutexGuard<'a, Table>> {
        while !ready(&table) {
            if let Some(rank) = table.left {
                return Err(Error::setting("ranks", "all of them to the end", format!("rank {rank} left")));
            }
            table = self.meeting.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(table)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let mut table = self.meeting.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.left.get_or_insert(self.rank);
        self.meeting.changed.notify_all();
    }
}

impl Ranks for Thread {
    fn rank(&self) -> u32 {
        self.rank
    }

    fn count(&self) -> u32 {
        self.meeting.count as u32
    }

    fn sum(&self, numbers: &mut [f32]) -> Result<()> {
        let own = numbers.iter().map(|number| f64::from(*number)).collect();
        self.meet_alike(own, |all| {
            for (at, number) in numbers.iter_mut().enumerate() {
                *number = all.iter().map(|of| of[at] as f32).sum();
            }
        })
    }

    fn gather(&self, own: &[f32], all: &mut [f32]) -> Result<()> {
        let own = own.iter().map(|number| f64::from(*number)).collect();
        self.meet(own, |brought| {
            all.iter_mut().zip(brought.iter().flatten()).for_each(|(to, number)| *to = *number as f32);
        })
    }

    fn spread(&self, numbers: &mut [f64]) -> Result<()> {
        self.meet_alike(numbers.to_vec(), |all| numbers.copy_from_slice(&all[0]))
    }
}
