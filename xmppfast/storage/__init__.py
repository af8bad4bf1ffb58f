"""Where a server keeps what must outlive it. Features know `interface` only; see there."""
