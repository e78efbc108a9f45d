// Threads, barriers, votes and shuffles. Lanes meet in the stand-in's scheduler: a lane that others wait for and that
