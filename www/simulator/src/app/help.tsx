// The list of keys, and the switch that turns them off.

import { Dialog } from './dialog';
import { helpOpen } from './keys';
import { change, settings } from './settings';
import { useShell } from './shell';

export function Help() {
  const { t } = useShell();
  if (!helpOpen.value) return null;
  return (
    <Dialog
      title={t.keys.title}
      onClose={() => {
        helpOpen.value = false;
      }}
    >
      <dl class="keys">
        {t.keys.rows.map(([key, says]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
      <p class="soft">{t.app.keysHint}</p>
      <label class="check-line">
        <input
          type="checkbox"
          checked={settings.value.keys}
          onChange={(event) => change({ keys: event.currentTarget.checked })}
        />
        {t.keys.enabled}
      </label>
    </Dialog>
  );
}
