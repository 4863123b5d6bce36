"""Training: labelled faces in, a trained ASMNet out.  Keras only, on any of its backends.

    from asmnet.train.fit import fit

    best = fit("300w:DIR", Path("runs/mine"), size=112, epochs=45)  # resumes if killed

Importing the package loads nothing heavy; take what you need from its modules.
"""

__all__: list[str] = []
