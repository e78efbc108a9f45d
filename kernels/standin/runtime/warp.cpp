// Barriers, votes, shuffles, asynchronous copies: everything at which threads meet.
