import { SandboxError } from '#sandbox/sandbox-error.ts';
import { createRandom } from '#sandbox/world/random.ts';
import type { StoreSite } from '#sandbox/world/places.ts';
import { readCsv } from './csv.ts';

const COLUMNS = ['id_geolytix', 'retailer', 'long_wgs', 'lat_wgs', 'town'];
const WANTED = 12;

/**
 * Twelve sites of the UK store list, each in another town, drawn by the seed. Their owners' names are left out.
 * @throws {SandboxError} naming file and line, also when the file has fewer than twelve towns
 */
export async function readStoreSites(file: string, seed: number): Promise<readonly StoreSite[]> {
  const byTown = new Map<string, StoreSite>();
  for await (const { line, values } of readCsv(file, COLUMNS)) {
    const latitude = Number(values['lat_wgs']);
    const longitude = Number(values['long_wgs']);
    if (values['lat_wgs'] === '' || !(Math.abs(latitude) <= 90))
      throw new SandboxError(`${file}:${line}: lat_wgs "${values['lat_wgs']}" is no latitude`);
    if (values['long_wgs'] === '' || !(Math.abs(longitude) <= 180))
      throw new SandboxError(`${file}:${line}: long_wgs "${values['long_wgs']}" is no longitude`);
    const town = (values['town'] ?? '').trim();
    if (town !== '' && !byTown.has(town)) byTown.set(town, { name: `${town} store`, town, latitude, longitude });
  }
  if (byTown.size < WANTED) throw new SandboxError(`${file}: ${byTown.size} towns, ${WANTED} are needed`);
  const random = createRandom(seed, 'store sites');
  const left = [...byTown.values()];
  return Array.from({ length: WANTED }, () => left.splice(random.between(0, left.length - 1), 1)[0] as StoreSite);
}
