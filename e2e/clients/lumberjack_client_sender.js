// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Sends events with the npm package lumberjack-client.
//
//   lumberjack_client_sender.js HOST:PORT RUN SENDER COUNT FOLDER
//
// FOLDER/SENDER.sent and FOLDER/SENDER.acknowledged list the events, a number
// per line. The package sends the events that are logged while it connects as one
// window, and each later event as a separate window. It neither reads acknowledgements
// nor resends events. This program does both on the package's socket.

'use strict'

const fs = require('fs')
const Client = require('lumberjack-client')

const singles = 100 // events that are sent in separate windows
const batch = 500

const [address, run, sender, total, folder] = process.argv.slice(2)
const [host, port] = address.split(':')
const count = Number(total)
const sent = fs.openSync(`${folder}/${sender}.sent`, 'w')
const acknowledged = fs.openSync(`${folder}/${sender}.acknowledged`, 'w')
const started = new Date().toISOString()

// A third of the events have a position in a file, a third an id, and a third neither.
function event(n) {
  const e = {'@timestamp': started, message: `line ${n} of ${sender}`, run, sender, n}
  if (n % 3 === 0) {
    e.agent = {id: `agent-${run}`, type: 'filebeat'}
    e.log = {offset: 64 * n, file: {path: `/var/log/${sender}.log`, inode: '17'}}
  } else if (n % 3 === 1) {
    e['@metadata'] = {beat: 'filebeat', _id: `${run}-${sender}-${n}`}
  }
  return e
}

const client = new Client({host, port: Number(port)})
let heard = 0 // the last acknowledgement of the current window
let hooked    // the socket with a listener

// listen follows the client from socket to socket.
function listen() {
  const socket = client.socket
  if (!socket || socket === hooked) {
    return
  }
  hooked = socket
  let rest = Buffer.alloc(0)
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data])
    for (; rest.length >= 6; rest = rest.subarray(6)) {
      if (socket === hooked && rest.toString('latin1', 0, 2) === '2A') {
        heard = rest.readUInt32BE(2)
      }
    }
  })
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms))

async function until(condition) {
  for (; !condition(); await pause(1)) {
    listen()
  }
  listen()
}

// The package has no event for the start of a connection attempt, from which on
// logged events form one window.
let connecting = client.connecting
let pending = []
Object.defineProperty(client, 'connecting', {
  get: () => connecting,
  set: (now) => {
    connecting = now
    if (now) {
      pending.splice(0).forEach((n) => client.log(event(n)))
    }
  },
})

// deliver reports whether all events were acknowledged on one connection.
async function deliver(numbers) {
  heard = 0
  if (numbers.length === 1) {
    await until(() => client.connected)
    client.log(event(numbers[0]))
  } else {
    pending = [...numbers]
    if (client.socket) {
      client.socket.destroy()
    }
    await until(() => pending.length === 0)
  }
  const socket = client.socket
  await until(() => heard >= numbers.length || client.socket !== socket || socket.destroyed)
  client.queue.length = 0 // otherwise the package would send it in addition to the resent events
  return heard >= numbers.length
}

async function main() {
  for (let first = 0; first < count;) {
    const size = first < singles ? 1 : Math.min(batch, count - first)
    const numbers = Array.from({length: size}, (_, i) => first + i)
    const lines = numbers.map((n) => `${n}\n`).join('')
    fs.writeSync(sent, lines)
    while (!await deliver(numbers)) {
      await pause(100)
    }
    fs.writeSync(acknowledged, lines)
    first += size
  }
  process.exit(0)
}

main()
