/** In a child process: does the one job that the parent sends, sends back what it gave, and ends. */
export function doJob<Job, Answer> (work: (job: Job) => Promise<Answer>): void {
  process.once('message', (job: Job) => {
    work(job).then((answer) => {
      process.send?.(answer, () => { process.disconnect() }) // a long answer takes a while
    }, (error: unknown) => {
      process.stderr.write(`${(error as Error).stack}\n`)
      process.exit(1)
    })
  })
}
