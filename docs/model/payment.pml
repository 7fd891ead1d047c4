/* Sending. One transaction_id: callers that come and come again, workers that take up its job or take it over, the ledger,
 * and PayConex behind a network that delays, reorders and loses requests and answers. Everybody may stop for ever, or pause,
 * between any two steps. Who hears what, and late approvals, are in reversal.pml.
 *
 * Asserted: PayConex charges at most once. `approved` is written only when it charged this attempt. An attempt that became
 * `not_sent` or `declined`, or was followed by another, is not charged, then or ever.
 *
 * More is allowed here than is built, so what holds does not rest on it: a job may reach a worker at any time and any number
 * of times, a lease may lapse at any time, a repeat needs no look-up first and no pause. A ledger that is down is one where
 * nothing happens for a while, where an answer is lost and the worker asks again, or where a command given up long ago is
 * carried out after all (ECHO).
 *
 * Time is the phase of the present attempt, which only grows: 0 sending allowed, 1 SEND_BY passed, 2 ANSWER_BY passed, 3 the
 * absence margin passed. What "not charged" after silence rests on is written here and nowhere else: in phase 3 whatever was
 * sent in this attempt has arrived or is lost, nobody is still between leave to send and sending, and a look-up misses what
 * PayConex has at most once.
 *
 * What is taken for granted of PayConex: under an id that it honours only the first request counts, whatever came of it.
 * Whether it honours ids is open (HONOURS 2); the ledger has proof of it or not.
 *
 * Each BREAK_x removes one safeguard and must be caught.
 */
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef HANDLINGS
#define HANDLINGS 3     /* how often a worker takes it up: a job, or a take-over */
#endif
#ifndef HONOURS
#define HONOURS 1       /* 0 PayConex ignores our ids, 1 honours them, 2 either */
#endif
#ifndef RESERVE
#define RESERVE 0       /* 0 required, 1 preferred (an id or none), 2 off */
#endif
#ifndef ECHO
#define ECHO 0          /* late commands */
#endif

#define NONE 0
#define ACCEPTED 1
#define SENDING 2
#define APPROVED 3
#define DECLINED 4
#define NOT_SENT 5
#define UNCONFIRMED 6
#define REVIEW 7
#define OPEN (state == SENDING || state == UNCONFIRMED)

byte state = NONE, attempt, owner, reserved;      /* the record; `reserved` names what was sent, with an id or without */
bool taken, repeated, absent;
bool proven;                                      /* PayConex honours the ids of this account */
byte phase;
bool over[ATTEMPTS + 1];                          /* this attempt is not charged, then or ever */

bool honours;                                     /* PayConex, and what is under way to it. Each handling reserves one id: its own number */
bool has_id[HANDLINGS + 1];
byte attempt_of[HANDLINGS + 1], about_to[HANDLINGS + 1], flying[HANDLINGS + 1], seen[HANDLINGS + 1];   /* seen: 1 approved, 2 declined */
byte charges, charged_attempt;
bool missed;                                      /* a look-up missed it after the margin */
byte started;
byte echo_owner, echo_attempt;

#define findable(r) (has_id[r] && honours)
inline close() { over[attempt] = true; assert(charged_attempt != attempt) }
inline begin() {
  if :: state == ACCEPTED -> close() :: else fi;
  attempt++; state = ACCEPTED; owner = 0; reserved = 0; phase = 0; taken = false; repeated = false; absent = false }

/* Gateways and the sweeper, as far as they change the record. Which of them does not matter. */
active proctype Callers()
{
  byte seen_attempt;
end:
  do
  :: atomic { attempt < ATTEMPTS && (state == NONE || state == NOT_SENT || state == DECLINED || (state == ACCEPTED && phase >= 1)) -> begin() }
#ifdef BREAK_WITHDRAW
  :: atomic { state == ACCEPTED -> seen_attempt = attempt };
     atomic { attempt == seen_attempt -> state = NOT_SENT; close() }   /* read, then written: no compare */
#else
  :: atomic { state == ACCEPTED -> state = NOT_SENT; close() }
#endif
  od
}

/* sending or unconfirmed -> an outcome, by the owner. */
#ifdef BREAK_OWNER
#define mine_still (attempt == mine)
#else
#define mine_still (attempt == mine && owner == me)
#endif
#ifdef BREAK_FIRST
#define unsent_before true
#else
#define unsent_before (!taken && !repeated)
#endif

inline finish(to) { if
  :: OPEN && mine_still -> state = to; if :: to == APPROVED -> assert(charged_attempt == attempt); proven = honours :: to == DECLINED -> close() :: else fi
  :: else fi }
inline finish_unsent() { if
  :: state == SENDING && mine_still && unsent_before -> state = NOT_SENT; close()
  :: else fi }

#ifdef BREAK_FENCE
#define may_fence (attempt == mine && phase == 0)
#else
#ifdef BREAK_ATTEMPT
#define may_fence (phase == 0 && state == ACCEPTED)
#else
#ifdef BREAK_SEND_BY
#define may_fence (attempt == mine && state == ACCEPTED)
#else
#define may_fence (attempt == mine && phase == 0 && state == ACCEPTED)
#endif
#endif
#endif
#define fenced_by_me (attempt == mine && phase == 0 && state == SENDING && owner == me && reserved == me)

#ifdef BREAK_PROOF
#define may_repeat (state == SENDING && mine_still && has_id[r] && phase < 2)
#else
#ifdef BREAK_WITHOUT_ID
#define may_repeat (state == SENDING && mine_still && proven && phase < 2)
#else
#define may_repeat (state == SENDING && mine_still && has_id[r] && proven && phase < 2)
#endif
#endif

#ifdef BREAK_ABSENCE_PROOF
#define may_conclude has_id[r]
#else
#define may_conclude (has_id[r] && proven)
#endif

proctype Handling(byte me)
{
  byte mine, r;
  bool left, again, late, was_absent;

  atomic {
    started == me - 1 && (state == ACCEPTED || OPEN) -> started++;   /* they are alike: one order stands for all */
    mine = attempt;
    if
    :: state == ACCEPTED -> goto job
    :: OPEN -> r = reserved; was_absent = absent; owner = me; taken = true; goto settle
    fi
  };

job:
  atomic {
    if :: !(state == ACCEPTED && attempt == mine) -> goto done :: else fi;
    r = me; attempt_of[me] = mine;
    if                                            /* reserve */
#if RESERVE < 2
    :: has_id[me] = true
#endif
#if RESERVE > 0
    :: has_id[me] = false
#endif
#if RESERVE < 1
    :: goto refused
#endif
    fi;
#if ECHO
    if :: echo_owner == 0 -> echo_owner = me; echo_attempt = mine :: skip fi
#endif
  };
fence:
  atomic {
    if
    :: may_fence -> state = SENDING; owner = me; reserved = me; absent = false
    :: else -> if :: fenced_by_me -> absent = false :: else -> goto unfenced fi
    fi;
    if :: about_to[me]++ :: goto fence fi         /* the answer may be lost: ask again */
  };
  atomic { if                                     /* send, at once or after any pause */
  :: about_to[me]--; flying[me]++; left = true; goto settle
  :: about_to[me]--; goto fence                   /* never connected, or too late to send: ask the fence again */
  :: about_to[me]--; goto done                    /* dies */
  fi };
unfenced:
  atomic { if :: !left -> finish_unsent() :: else fi; goto done };
refused:
  atomic { if :: state == ACCEPTED && attempt == mine -> state = DECLINED; close() :: else fi; goto done };

settle:                                           /* what became of it: the answer to who sent it, or a look-up */
  do
  :: atomic { seen[r] == 1 && (findable(r) || left) ->
       if :: has_id[r] && !honours -> finish(REVIEW) :: else -> finish(APPROVED) fi; goto done }
  :: atomic { seen[r] == 2 && (findable(r) || left) -> finish(DECLINED); goto done }
#ifdef BREAK_DUPLICATE
  :: atomic { again && left && seen[r] != 0 -> finish(DECLINED); goto done }   /* "id already used" taken for an answer */
#endif
  :: atomic { !again && may_repeat -> again = true; repeated = true; absent = false;
#ifdef BREAK_REPEAT
       if :: r != me -> r = me; attempt_of[me] = mine; has_id[me] = true; reserved = me :: else fi;
#endif
       about_to[r]++ };
     atomic { if
     :: about_to[r]--; flying[r]++; left = true
     :: about_to[r]--;                            /* never connected */
#ifdef BREAK_FIRST
        finish_unsent()
#endif
     :: about_to[r]--; goto done                  /* dies */
     fi }
  :: atomic { state == SENDING && phase >= 2 -> finish(UNCONFIRMED); goto done }
  :: atomic { OPEN && (phase < 3 || !findable(r) || seen[r] == 0 || !missed) ->   /* a look-up does not find it */
       late = (phase == 3);                       /* by the time it was asked */
       if :: late && findable(r) && seen[r] != 0 -> missed = true :: else fi };
     break
  :: goto done
  od;
absence:                                          /* not found: written down, or acted upon, later */
  atomic {
#ifdef BREAK_EARLY
    late = true;
#endif
#ifdef BREAK_ANSWERED
    late = (phase == 3);                          /* by the time it is written down: the ledger may have been down between */
#endif
    if
    :: !(OPEN && mine_still) -> skip
    :: OPEN && mine_still && !(late && may_conclude) -> if :: true -> finish(UNCONFIRMED) :: true -> finish(REVIEW) fi
    :: OPEN && mine_still && late && may_conclude ->
       if
#ifdef BREAK_ONCE
       :: true -> state = NOT_SENT; close()
#else
       :: was_absent && absent -> state = NOT_SENT; close()
       :: !was_absent -> state = UNCONFIRMED; absent = true;
#ifdef BREAK_TWICE
          if :: was_absent = true; goto absence :: skip fi   /* the command is repeated and counts as a second look-up */
#endif
       :: else
#endif
       fi
    fi;
    goto done
  };
done:
  atomic { mine = 0; r = 0; left = false; again = false; late = false; was_absent = false }
}

active proctype PayConex()
{
  byte r;
end:
  do
  :: atomic {
       if :: flying[1] > 0 -> r = 1 :: flying[2] > 0 -> r = 2
#if HANDLINGS > 2
       :: flying[3] > 0 -> r = 3
#endif
#if HANDLINGS > 3
       :: flying[4] > 0 -> r = 4
#endif
       fi;
       flying[r]--;
       if
       :: skip                                    /* lost */
       :: findable(r) && seen[r] != 0 -> skip     /* a used id is refused */
       :: !(findable(r) && seen[r] != 0) -> seen[r] = 2
       :: !(findable(r) && seen[r] != 0) ->
          seen[r] = 1; charges++; charged_attempt = attempt_of[r];
          assert(charges <= 1);
          assert(!over[charged_attempt])
       fi;
       r = 0
     }
  od
}

active proctype Time()
{
end:
  do
  :: atomic { attempt > 0 && phase < 2 -> phase++ }
  :: atomic { phase == 2 && about_to[reserved] == 0 && flying[reserved] == 0 -> phase = 3 }
  od
}

#if ECHO
active proctype Echo()
{
  atomic {
    echo_owner != 0 && state == ACCEPTED && attempt == echo_attempt && phase == 0 ->
    state = SENDING; owner = echo_owner; reserved = echo_owner
  }
}
#endif

init { atomic {
  if
#if HONOURS > 0
  :: honours = true; if :: proven = true :: proven = false fi
#endif
#if HONOURS != 1
  :: honours = false
#endif
  fi;
  byte h = 1;
  do :: h <= HANDLINGS -> run Handling(h); h++ :: else -> break od
} }
