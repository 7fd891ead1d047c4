/* Telling, and undoing what nobody was told. One transaction_id: tries that gateways hold, the sending side in short (what it
 * may write is what payment.pml allows), workers that reverse a late approval, the ledger, and PayConex behind a network that
 * delays and loses. Everybody may stop for ever, or pause, between any two steps.
 *
 * Asserted: nobody hears `approved` of a payment that is not charged, or is reversed later. Whoever hears `not_processed` or a
 * decline, also after a reversal, has a net charge of 0 for that attempt, and keeps it. A charge is reversed at most once, even
 * by a PayConex that would reverse it twice.
 *
 * More is allowed here than is built: a try may leave, a lease lapse and a reversal begin at any time, also while somebody may
 * still come. A ledger that is down is one where nothing happens for a while, where an answer is lost and the same is asked
 * again or given up, or where a command given up long ago is carried out after all (ECHO). A gateway that gives up tells
 * `unconfirmed`, which claims nothing, and its token stays in `waiting`.
 *
 * The assumption about time is that of payment.pml, for the reversal: once `margin` is set, what was sent has arrived or is
 * lost, nobody is still between leave to send and sending, and a look-up misses what PayConex has at most once.
 *
 * Each BREAK_x removes one safeguard and must be caught.
 */
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef TRIES
#define TRIES 2         /* tries of the caller, held by any gateways */
#endif
#ifndef UNDOS
#define UNDOS 2         /* how often a worker begins a reversal or takes one over */
#endif
#ifndef HONOURS
#define HONOURS 1       /* 0 PayConex ignores our ids for reversals, 1 honours them, 2 either */
#endif
#ifndef ECHO
#define ECHO 0          /* late commands: 1 of a reversal, 2 of an admission */
#endif

#define NONE 0
#define ACCEPTED 1
#define SENDING 2
#define APPROVED 3
#define DECLINED 4
#define NOT_SENT 5
#define UNCONFIRMED 6
#define REVIEW 7
#define REVERSING 8
#define REVERSED 9
#define OPEN (state == SENDING || state == UNCONFIRMED)
#define SEAT(n) (1 << (n))

byte state = NONE, attempt, waiting, owner, reversal;   /* the record; `waiting` is a set of seats */
bool heard, absent, proven;
byte phase;                                       /* of the present attempt: 0 sending allowed, 1 SEND_BY passed */
bool margin;                                      /* the absence margin has passed since the last leave to send the reversal */

bool charged[ATTEMPTS + 1], told_not[ATTEMPTS + 1], told_approved;   /* what is true, and what was said */
bool honours;                                     /* PayConex. Each undo reserves one id: its own number */
byte about_to[UNDOS + 1], flying[UNDOS + 1], seen[UNDOS + 1];   /* seen: 1 reversed, 2 refused */
byte undone;
bool missed;
byte tries, undos, echo_undo;

#ifdef BREAK_WAITING
inline approve() { state = APPROVED }
#else
inline approve() { state = APPROVED; if :: waiting != 0 -> heard = true :: else fi }
#endif

/* Workers and the sweeper, as far as they change the record. */
active proctype Sending()
{
end:
  do
  :: atomic { state == ACCEPTED && phase == 0 -> state = SENDING }
  :: atomic { state == ACCEPTED -> state = NOT_SENT }
  :: atomic { state == SENDING -> state = UNCONFIRMED }
  :: atomic { OPEN -> assert(!told_not[attempt]); charged[attempt] = true; approve();
       if :: absent = true :: skip fi }          /* it was missed by a look-up before */
  :: atomic { OPEN -> state = DECLINED }
  :: atomic { OPEN -> state = NOT_SENT }
  :: atomic { attempt > 0 && phase < 1 -> phase++ }
  od
}

#define may_begin (attempt < ATTEMPTS && (state == NONE || state == NOT_SENT || (state == ACCEPTED && phase == 1)))
inline admit(seat) { if
  :: may_begin ->
     if :: state == ACCEPTED -> waiting = waiting | SEAT(seat) :: else -> waiting = SEAT(seat) fi;
     attempt++; state = ACCEPTED; phase = 0; heard = false; absent = false
  :: state == ACCEPTED || state == SENDING || state == REVERSING -> waiting = waiting | SEAT(seat)
#ifndef BREAK_HEARD_AT_ADMIT
  :: state == APPROVED -> heard = true
#endif
  :: else
  fi }

#define final(s) (s == APPROVED || s == DECLINED || s == NOT_SENT || s == REVERSED)
inline tell(s, a) { if
  :: s == APPROVED -> told_approved = true; assert(charged[a])
  :: s == DECLINED || s == NOT_SENT || s == REVERSED -> told_not[a] = true; assert(!charged[a])
  :: else
  fi }

proctype Try(byte me)
{
  byte s, mine, other;
  tries == me - 1;                                /* they are alike: one order stands for all */
arrive:
  atomic { if :: tries < me -> tries++ :: else fi;
    admit(me); s = state; mine = attempt;
    if
    :: final(s) -> goto answer
#ifdef BREAK_REPLAY
    :: !final(s) -> goto hold
#else
    :: s == ACCEPTED || s == SENDING || s == REVERSING -> goto hold
    :: s == UNCONFIRMED || s == REVIEW -> goto done   /* told: unconfirmed. It is in no list, so it listens no longer */
#endif
    :: goto arrive                                /* the answer is lost, and asked for again */
    :: goto done                                  /* or given up: the caller hung up, or hears `unconfirmed` */
    fi };
hold:
  atomic { if
  :: s = state; other = attempt; goto read        /* news, or a look */
  :: if :: state == ACCEPTED && attempt == mine && phase == 1 -> state = NOT_SENT :: else fi;   /* SEND_BY */
     s = state; other = attempt; goto read
  :: goto go                                      /* ANSWER_BY, or the caller hung up */
  fi };
read:
  atomic { if
#ifdef BREAK_FOLLOW
  :: other != mine -> mine = other; if :: final(s) -> goto answer :: else -> goto hold fi
#else
  :: other != mine -> goto arrive                 /* a later attempt: this try is no part of it yet */
#endif
  :: other == mine && final(s) -> goto answer
  :: else -> s = 0; other = 0; goto hold
  fi };
go:
  atomic {
#ifdef BREAK_SEAT
    waiting = 0;
#else
    waiting = waiting & ~SEAT(me);
#endif
    s = state; other = attempt;
#ifndef BREAK_HEARD_AT_LEAVE
    if :: s == APPROVED -> heard = true :: else fi;
#endif
    if
    :: other == mine && final(s) -> goto answer   /* the leave says what came of it */
    :: !(other == mine && final(s)) -> goto done  /* told: unconfirmed */
    :: goto go                                    /* the answer is lost: asked again; it listens to nothing else now */
    :: goto done
#ifdef BREAK_LISTEN
    :: goto hold
#endif
    fi };
answer:
  atomic { tell(s, mine); goto done };
done:
  atomic { s = 0; mine = 0; other = 0 }
}

#ifdef BREAK_HEARD
#define may_reverse (state == APPROVED && waiting == 0)
#else
#ifdef BREAK_WAITING
#define may_reverse (state == APPROVED && !heard)
#else
#define may_reverse (state == APPROVED && !heard && waiting == 0)
#endif
#endif
#ifdef BREAK_REVERSE_CAS
#define may_reverse_now (state == APPROVED || state == REVERSING)
#else
#define may_reverse_now may_reverse
#endif
#define reversing_mine (state == REVERSING && owner == me)
#ifdef BREAK_REVERSAL_PROOF
#define may_conclude true
#else
#define may_conclude proven
#endif

proctype Undo(byte me)
{
  byte r; bool sent, late, was_absent;
  atomic { undos == me - 1 && (may_reverse || state == REVERSING) -> undos++;
    if
    :: state == APPROVED -> r = me
#if ECHO == 1
       ; if :: echo_undo == 0 -> echo_undo = me :: skip fi
#endif
    :: state == REVERSING -> owner = me; r = reversal; was_absent = absent; goto ask
    fi };
reverse:
  atomic {
    if
    :: may_reverse_now -> state = REVERSING; owner = me; reversal = me; margin = false
#ifndef BREAK_ABSENT_KEPT
       ; absent = false
#endif
    :: else -> if :: reversing_mine && reversal == me -> margin = false; absent = false :: else -> goto done fi
    fi;
    if :: about_to[me]++ :: goto reverse :: goto done fi   /* the answer may be lost: asked again, or never */
  };
  atomic { if
  :: about_to[me]--; flying[me]++; sent = true
  :: about_to[me]--; goto reverse                 /* never connected, or too late to send: leave is asked for again */
  :: about_to[me]--; goto done                    /* dies */
  fi };
ask:
  do
  :: atomic { seen[r] == 1 && (honours || sent) -> if :: reversing_mine -> state = REVERSED; proven = honours :: else fi; goto done }
  :: atomic { seen[r] == 2 && (honours || sent) -> if :: reversing_mine -> state = REVIEW :: else fi; goto done }
#ifdef BREAK_REVERSAL_RESEND
  :: atomic { r != me && reversing_mine -> r = me; reversal = me; flying[me]++; sent = true }   /* taken over, and sent afresh */
#endif
  :: atomic { !margin || !honours || seen[r] == 0 || !missed ->   /* a look-up does not find it */
       late = margin;
       if :: late && honours && seen[r] != 0 -> missed = true :: else fi };
     break
  :: goto done
  od;
  atomic {
#ifdef BREAK_REVERSAL_EARLY
    late = true;
#endif
    if
    :: !reversing_mine -> skip
    :: reversing_mine && !(late && may_conclude) -> if :: skip :: state = REVIEW fi
    :: reversing_mine && late && may_conclude ->
       if
#ifdef BREAK_REVERSAL_ONCE
       :: approve()
#else
       :: was_absent && absent -> approve()
       :: else -> absent = true
#endif
       fi
    fi;
    goto done };
done:
  atomic { r = 0; sent = false; late = false; was_absent = false }
}

active proctype PayConex()
{
  byte r;
end:
  do
  :: atomic {
       if :: flying[1] > 0 -> r = 1
#if UNDOS > 1
          :: flying[2] > 0 -> r = 2
#endif
#if UNDOS > 2
          :: flying[3] > 0 -> r = 3
#endif
#if UNDOS > 3
          :: flying[4] > 0 -> r = 4
#endif
       fi;
       flying[r]--;
       if
       :: skip                                    /* lost */
       :: honours && seen[r] != 0 -> skip         /* a used id is refused */
       :: !(honours && seen[r] != 0) -> seen[r] = 2
       :: !(honours && seen[r] != 0) ->
          seen[r] = 1; undone++; charged[attempt] = false;
          assert(undone <= 1);
          assert(!told_approved)
       fi;
       r = 0
     }
  :: atomic { state == REVERSING && !margin && about_to[reversal] == 0 && flying[reversal] == 0 -> margin = true }
  od
}

#if ECHO == 1
active proctype Echo()
{
  atomic {
    echo_undo != 0 ->
    if
    :: may_reverse_now -> state = REVERSING; owner = echo_undo; reversal = echo_undo; margin = false; absent = false
    :: state == REVERSING && owner == echo_undo && reversal == echo_undo -> margin = false; absent = false
    fi
  }
}
#endif
#if ECHO == 2
active proctype Echo()
{
  atomic { tries > 0 -> admit(1) }
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
  byte n = 1;
  do :: n <= TRIES -> run Try(n); n++ :: else -> break od;
  n = 1;
  do :: n <= UNDOS -> run Undo(n); n++ :: else -> break od
} }
