#pragma once

// Scheduling of the calling thread, for Swift's `NamedThread`: the system call has no function in the C libraries.

/// Lets the calling thread, and no other, give way: it gets a tenth of what a normal thread gets when processors are
/// scarce, and where the kernel can (Linux 6.12), a normal thread that wakes up takes its place at once.
///
/// Needs no right. A system that knows neither shares evenly.
void cairn_thread_give_way(void);
