import { useShell } from './shell';

export function Loading() {
  const { t } = useShell();
  return (
    <p class="loading" role="status">
      <span class="loading-sign" aria-hidden="true" />
      {t.app.loading}
    </p>
  );
}
