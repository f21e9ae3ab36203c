// What can't be shown, why, and the way out.

import { href } from './router';
import { useShell } from './shell';

export function Failure({ title, says }: { readonly title: string; readonly says: string }) {
  const { t } = useShell();
  return (
    <section class="failure" role="alert">
      <h1 tabIndex={-1}>{title}</h1>
      <p class="lead">{says}</p>
      <p class="soft">{t.errors.safe}</p>
      <a class="button button-main" href={href.start}>
        {t.errors.toStart}
      </a>
    </section>
  );
}
