// Finishes what a mailed link began. The token comes in the fragment, which no server and no Referer header sees.

const { history, location } = window

const STEPS = ['act', 'done', 'invalid', 'sent']
const NO_ANSWER = 'That did not work. Check your connection and try again.'
const BUSY = 'There is too much going on here just now. Try again in a moment.'

const step = (name) => document.getElementById(name)
const password = document.getElementById('password')
const showButton = document.getElementById('show')
const service = document.title.split(' · ').at(-1)

let token = null

/** Shows one step and tells it to everybody: the title, the eyes, and screen readers by the focus. */
function go (name, { focus = true } = {}) {
  for (const other of STEPS) step(other).hidden = other !== name
  const heading = step(name).querySelector('h1')
  document.title = `${heading.textContent} · ${service}`
  if (focus) heading.focus()
}

/** Takes the token out of the address bar and the history. Nothing is sent before a button is pressed. */
function begin () {
  token = new URLSearchParams(location.hash.slice(1)).get('token')
  history.replaceState(null, '', location.href.split('#')[0])
  for (const form of document.forms) {
    form.reset()
    explain(form, '')
  }
  go(token ? 'act' : 'invalid', { focus: false })
}

function explain (form, problem) {
  form.querySelector('.problem').textContent = problem
  const input = form.querySelector('input')
  if (input === null) return
  if (problem === '') input.removeAttribute('aria-invalid')
  else input.setAttribute('aria-invalid', 'true')
}

/** The page and what it asks have one path, so that it works under every prefix. */
async function send (method, body) {
  const response = await fetch(location.origin + location.pathname, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    credentials: 'omit'
  })
  if (response.ok) return { ok: true }
  const { code, message } = await response.json()
  if (response.status >= 500 || response.status === 429) return { ok: false, code, message: BUSY }
  return { ok: false, code, message: `${message}.` }
}

/** Sends the form once at a time; `ask` resolves to the next step, or to what is wrong. */
function onSubmit (form, ask) {
  const button = form.querySelector('[type=submit]')
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (button.getAttribute('aria-disabled') === 'true') return
    button.setAttribute('aria-disabled', 'true')
    explain(form, '')
    const { next, problem } = await ask(Object.fromEntries(new FormData(form))).catch(() => ({ problem: NO_ANSWER }))
    button.removeAttribute('aria-disabled')
    if (next !== undefined) {
      form.reset()
      go(next)
      return
    }
    explain(form, problem)
    form.querySelector('input')?.focus()
  })
}

onSubmit(step('act').querySelector('form'), async (fields) => {
  const { ok, code, message } = await send('PUT', { token, ...fields })
  if (ok) return { next: 'done' }
  return code === 'invalid_token' ? { next: 'invalid' } : { problem: message }
})

onSubmit(step('invalid').querySelector('form'), async (fields) => {
  const { ok, message } = await send('POST', fields)
  return ok ? { next: 'sent' } : { problem: message }
})

showButton?.addEventListener('click', () => {
  const isShown = password.type === 'text'
  password.type = isShown ? 'password' : 'text'
  showButton.setAttribute('aria-pressed', String(!isShown))
  password.focus()
})

// A second link opened in the same tab differs in the fragment only, and loads nothing.
window.addEventListener('hashchange', begin)
begin()
