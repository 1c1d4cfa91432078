//! The task cell: one allocation per task, its state word, wakers and join.
