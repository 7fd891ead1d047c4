import axios from 'axios'
import express from 'express'
import { BRIDGE_PATH } from '../../stack/fleet.ts'
import { credentialsOf, toForm, toReply } from './bridge.ts'
import { settingsOf } from './settings.ts'

/* Contender `direct`: Express and axios, straight to PayConex and back. No queue, no record of anything. */

const { port, payments } = settingsOf(process.env)
const app = express()

app.get('/', (_request, response) => void response.send('here'))

app.post(BRIDGE_PATH, express.json(), async (request, response) => {
  const credentials = credentialsOf(request.headers.authorization)
  if (!credentials) return void response.sendStatus(401)
  const { data } = await axios.post(payments, toForm(request.body, credentials))
  response.json(toReply(data))
})

app.listen(port, '127.0.0.1')
