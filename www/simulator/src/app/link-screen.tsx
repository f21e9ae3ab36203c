// A scenario that came in a link: it opens in the sandbox, or says what is wrong with it.

import { useEffect, useState } from 'preact/hooks';
import { Failure } from './failure';
import { Loading } from './loading';
import { SandboxStage } from './sandbox/sandbox-screen';
import { readLink, scenarioProblem } from './scenario-problem';
import { Scene } from './scene';
import { useShell } from './shell';

export function LinkScreen({ link }: { readonly link: string }) {
  const { t, report } = useShell();
  const [made, setMade] = useState<{ scene: Scene; text: string } | { problem: unknown } | null>(null);
  useEffect(() => {
    let scene: Scene | undefined;
    let wanted = true;
    readLink(link).then(
      (text) => {
        if (!wanted) return;
        try {
          scene = new Scene(text);
          setMade({ scene, text });
          report({ event: 'ready', lesson: null });
        } catch (error) {
          setMade({ problem: error });
        }
      },
      (error: unknown) => wanted && setMade({ problem: error }),
    );
    return () => {
      wanted = false;
      scene?.free();
    };
  }, [link, report]);
  if (!made) return <Loading />;
  if ('problem' in made) return <Failure title={t.errors.title} says={scenarioProblem(made.problem, t)} />;
  return <SandboxStage scene={made.scene} text={made.text} />;
}
