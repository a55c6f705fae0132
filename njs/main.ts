/** What nginx/spawner-http.conf and nginx/spawner-server.conf call. */
import { admin } from './admin.ts';
import { answerBody, answerHeaders } from './answer.ts';
import { backend, release } from './forward.ts';
import { hold, wait } from './hold.ts';

export default { admin, answerBody, answerHeaders, backend, hold, release, wait };
