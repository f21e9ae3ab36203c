// A part of the page that is fetched when it is first shown.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Loading } from './loading';
import { useShell } from './shell';

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const { t } = useShell();
    const [state, setState] = useState<'waits' | 'there' | 'failed'>(Loaded ? 'there' : 'waits');
    useEffect(() => {
      if (Loaded) return;
      load().then(
        (component) => {
          Loaded = component;
          setState('there');
        },
        () => setState('failed'),
      );
    }, []);
    if (state === 'failed') return <p role="alert">{t.plain.loadFailed}</p>;
    return Loaded ? <Loaded {...props} /> : <Loading />;
  };
}
