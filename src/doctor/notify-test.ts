import { loadConfig } from '../config/load.ts';
import { channelsOf } from '../notify/channels.ts';
import { noticeJson, TEST_NOTICE } from '../notify/notice.ts';
import type { Check } from '../status/check.ts';
import { lookAt } from './look.ts';

/** Sends one notice through each channel. */
export async function testChannels({ file }: { file?: string | undefined }): Promise<Check[]> {
  const { config } = loadConfig({ file });
  const channels = channelsOf(config);
  if (channels.length === 0) {
    const remedy = 'Set notify.webhook or notify.command.';
    return [{ name: 'Notices', level: 'error', text: 'There is nowhere to send them.', remedy }];
  }
  const json = noticeJson(TEST_NOTICE, config);
  return lookAt(
    channels.map(({ name, send }) => [
      name,
      async () => {
        try {
          await send(json, new AbortController().signal);
          const asRoot = name === 'notify.command' && process.getuid?.() === 0;
          const text = `The test notice was sent.${asRoot ? ' The program ran as root; the service runs it as its own user.' : ''}`;
          return { level: 'ok', text };
        } catch (error) {
          const { message, code } = error as NodeJS.ErrnoException;
          const text = `The test notice could not be sent: ${code === 'ENOENT' ? 'there is no such program' : message}.`;
          return { level: 'error', text, remedy: `Check ${name} and the service that receives it.` };
        }
      },
    ]),
  );
}
