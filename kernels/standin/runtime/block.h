// One running block: its threads as fibers, its clock, its warps.
