// Small behaviours, each attached by an attribute. Every page works without them.

// data-copy="ID": copies the text of that element.
document.addEventListener('click', async event => {
  const button = event.target.closest?.('[data-copy]');
  if (!button) return;
  const copied = await copy(document.getElementById(button.dataset.copy));
  button.textContent = copied ? 'Copied' : 'Selected';
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 2000);
});

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    // Over plain http from another host there is no navigator.clipboard.
    getSelection().selectAllChildren(source);
    return document.execCommand('copy');
  }
}

// <time data-relative>: follows the clock; the same rule as views/ago.ts.
const UNITS = { year: 31_557_600, month: 2_629_800, day: 86_400, hour: 3_600, minute: 60, second: 1 };
const RELATIVE = new Intl.RelativeTimeFormat('en');

function refreshTimes() {
  for (const time of document.querySelectorAll('time[data-relative]')) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const unit = Object.entries(UNITS).find(([, length]) => Math.abs(seconds) >= length);
    time.textContent = unit ? RELATIVE.format(Math.trunc(seconds / unit[1]), unit[0]) : 'just now';
  }
}
setInterval(refreshTimes, 30_000);

// <form data-tidy>: fields left empty stay out of the address.
document.addEventListener('formdata', event => {
  if (!event.target.matches('[data-tidy]')) return;
  for (const [name, value] of [...event.formData]) if (value === '') event.formData.delete(name);
});

// data-counted-in="ID": the length of a field is shown there while it changes.
document.addEventListener('input', event => {
  const shown = document.getElementById(event.target.dataset.countedIn ?? '');
  if (shown) shown.textContent = `${event.target.value.length} of ${event.target.maxLength} characters`;
});

// data-idle-when-hidden: no polling from a tab that nobody sees.
document.addEventListener('htmx:before:request', event => {
  if (document.hidden && event.target.matches('[data-idle-when-hidden]')) event.preventDefault();
});

// The new page of a list takes the focus from the link that was exchanged with it.
document.addEventListener('htmx:after:swap', () => {
  if (document.activeElement === document.body) document.querySelector('#results')?.focus({ preventScroll: true });
});

// A failed exchange: what would have changed the address is loaded as a whole page, which explains itself;
// a poll says that it is trying again.
document.addEventListener('htmx:response:error', event => {
  const { ctx } = event.detail;
  if (ctx.response.status === 400) return;
  if (ctx.push) location.assign(ctx.request.action);
  else trouble('The server could not answer. Trying again…');
});

document.addEventListener('htmx:error', event => {
  if (event.detail.ctx?.push) trouble('The server does not answer. Try again in a moment.');
  else trouble('The server does not answer. Trying again…');
});

document.addEventListener('htmx:after:request', event => {
  if (event.detail.ctx.response?.status < 400) trouble('');
});

function trouble(text) {
  const box = document.getElementById('trouble');
  if (!box || box.textContent === text) return;
  box.textContent = text;
  box.hidden = text === '';
}

// The current tab is in view where the navigation scrolls.
document.querySelector('.top nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
