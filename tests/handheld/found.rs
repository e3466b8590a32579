//! Stories that drawn histories found (`histories`), each made as short as it failed: units that were missed, or
//! looked at too soon.

use crate::histories::story;

story!(
    /// Whose goods they are is on no record, and never need be.
    c9_a_recall_that_is_widened_to_goods_of_nobody_on_record_finds_what_was_sold_of_them,
    "
        line 11 sale x0
        hears line 0..1
        recalls L8
        widens 0 x0
        mistaken 0
    "
);

story!(
    /// A case that was left is looked at for a tin in it, which is of two batches: that it is on a pallet by now
    /// tells who comes for it.
    c13_what_is_only_looked_at_keeps_what_is_kept_of_it_until_somebody_comes_for_it,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        line 8 outbound to:late p0
        plant 40 commission t0 batch:L8
        narrow 2 &
        hears line 0..1
        hears plant 0..1
        hears plant 1..3
    "
);

story!(
    /// The tin had left its case before it was known that the case was destroyed with it; what it did since is its
    /// own all the same.
    c8_what_came_back_into_a_case_that_was_destroyed_is_judged_by_itself_when_that_is_taken_back,
    "
        plant 1 pack c0 t0 t1
        house 14 destroy c0
        house 20 retract house#0
        line 16 inbound t1
        hears line 0..1
        hears plant 0..1
        hears house 0..1
        hears house 1..2
    "
);
