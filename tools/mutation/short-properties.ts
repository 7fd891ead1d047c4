import fc from 'fast-check'

/* Properties try thousands of values. For each of a thousand mutants that is too long, and always the same ones make two runs
 * comparable. What only a rare value finds counts as not found: the score is no better than it should be. */
fc.configureGlobal({ seed: 1, interruptAfterTimeLimit: 30 })
