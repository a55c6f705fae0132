/** Backends that send each WebSocket message back: `node echo.ts PORT…`. */
import { WebSocketServer } from 'ws';

for (const port of process.argv.slice(2)) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port) });
  server.on('connection', (socket) => {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
}
