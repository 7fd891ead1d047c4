import { type Break, duration, hold } from './scene.ts'

/** PayConex treats everybody badly for a while: payments, reservations, questions, or all of it. */
export const sulk: Break = async (scene) => {
  const { stage, random, note, tryMs } = scene
  const mood = {
    fault: random.pick(MOODS),
    on: random.pick(['qsapi', 'tsapi', 'reserve', 'status', 'any']),
    share: random.pick([0.3, 0.6, 1]),
    seed: random.whole(1, 1_000_000),
    ms: Math.round(random.between(0.1, 2) * tryMs),
  }
  const ms = duration(scene)
  note(`${JSON.stringify(mood)} for ${ms} ms`)
  await stage.simulator.fault(SULKING, mood)
  await hold(scene, ms)
  await stage.simulator.takeBack(SULKING)
}

const SULKING = 'sulk'
const MOODS = [
  'delay',
  'delay',
  'hang',
  'lose_answer',
  'reset_before_commit',
  'reset_after_commit',
  '500',
  '503',
  '429',
  '500_after_commit',
  'html',
  'half_body',
  'empty',
  'form_answer',
]
