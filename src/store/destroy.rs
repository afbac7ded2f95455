//! Emptying a record's folder at a place: the one way by which kept bytes go.
//!
//! # Why
//! *An order is no word.* [`Order`] is made of the committed entry and of nothing else, and whoever empties a folder has to
//! show one. `tests/architecture.rs` holds it to one caller.
//!
//! *What a listing hides is looked for*: links, odd names, writes that died half-way (`x#1`), and what lies in staging under
//! the record's identifier.

use crate::record::{entry::Entry, id::RecordId};
use crate::store::{Listed, Place, StoreError, layout, local};

/// An order to destroy a record, rebuilt from the entry that gave it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    record: RecordId,
    seq: u64,
}

/// What was taken away at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    pub objects: u64,
    /// Leftovers of dead writes, and what lay in staging.
    pub leftovers: u64,
}

impl Order {
    /// `None` where the entry orders no end.
    pub fn of(seq: u64, entry: &Entry) -> Option<Order> {
        entry.event.ends().map(|record| Order { record, seq })
    }

    pub fn record(&self) -> RecordId {
        self.record
    }

    /// The entry that gave it.
    pub fn seq(&self) -> u64 {
        self.seq
    }
}

impl Place {
    /// Everything that lies here under a record's identifier: what is kept, and what is not.
    pub async fn of_record(&self, record: RecordId) -> Result<Vec<Listed>, StoreError> {
        let mut all = self.everything(&layout::unit(record)).await?;
        all.extend(self.everything(&layout::staging(record)).await?);
        Ok(all)
    }

    /// Takes away everything that lies here under the record of an order.
    ///
    /// If we stop here, some of it is gone; the order stands and the rest goes the next time.
    pub async fn destroy(&self, order: &Order) -> Result<Taken, StoreError> {
        let mut taken = Taken::default();
        let staging = layout::staging(order.record);
        for Listed { path, .. } in self.of_record(order.record).await? {
            match self.folder() {
                // Also what the library's own paths do not reach.
                Some(root) => local::remove(root, &path)?,
                None => self.discard(&path).await?,
            }
            match local::is_leftover(&path) || path.starts_with(&staging) {
                true => taken.leftovers += 1,
                false => taken.objects += 1,
            }
        }
        Ok(taken)
    }
}
