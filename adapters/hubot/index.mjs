// Hubot adapter for Watchroom. Hubot loads it with -a hubot-watchroom and calls
// use(robot); what is set comes from the environment:
//
//   HUBOT_WATCHROOM_URL      where the server is: https://watch.example
//   HUBOT_WATCHROOM_TOKEN    an API token of the robot
//   HUBOT_WATCHROOM_ROOMS    rooms to listen in: "timeline,ops"; else those in the robot's list
//   HUBOT_WATCHROOM_THREADS  "always": answer in a thread, also what was asked outside of one
//   HUBOT_WATCHROOM_ROBOTS   "hear": also hear what other robots and the bot say

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeAdapter } from './src/adapter.mjs'
import { Client } from './src/client.mjs'

// hubot is the one that runs: this package may be linked from another place,
// where there is none beside it.
async function hubot () {
  try {
    return await import('hubot')
  } catch (err) {
    if (err.code !== 'ERR_MODULE_NOT_FOUND') throw err
    const require = createRequire(join(process.cwd(), 'package.json'))
    return import(pathToFileURL(require.resolve('hubot')).href)
  }
}

export async function use (robot) {
  const env = process.env
  for (const name of ['HUBOT_WATCHROOM_URL', 'HUBOT_WATCHROOM_TOKEN']) {
    if (!env[name]) throw new Error(`${name} is not set`)
  }
  const client = new Client(env.HUBOT_WATCHROOM_URL, env.HUBOT_WATCHROOM_TOKEN)
  const Watchroom = makeAdapter(await hubot())
  return new Watchroom(robot, client, {
    rooms: (env.HUBOT_WATCHROOM_ROOMS ?? '').split(',').map(name => name.trim()).filter(Boolean),
    threads: env.HUBOT_WATCHROOM_THREADS === 'always',
    robots: env.HUBOT_WATCHROOM_ROBOTS === 'hear'
  })
}

export default { use }
