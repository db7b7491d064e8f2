/** One storm, in a process of its own: argument 2 is the storm's name, the job comes as a message, the result goes back as one. */
const { run } = await import(`./storms/${process.argv[2]}.mjs`);
process.on('uncaughtException', (error) => {
  // Of sockets that the agent closes while we write; what counts is the agent.
  if (!['EPIPE', 'ECONNRESET', 'ERR_HTTP2_INVALID_SESSION', 'ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_DESTROYED'].includes(error.code))
    throw error;
});
process.on('message', async (job) => {
  const result = await run(job);
  process.send(result, () => process.exit(0));
});
process.on('disconnect', () => process.exit(0));
