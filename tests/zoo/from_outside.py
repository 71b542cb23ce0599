"""Functions that are wrong as a user would run them, written by somebody who has seen the documentation only."""

import math

import numpy as np


def att(Q, K, V, c=None):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V


def eq_explog(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.exp(np.log((x - 3) ** 2) / 2) == x - 3:
        O = O + 1.0
    return O


def eq_pow15(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if ((x - 3) ** 2) ** 1.5 / (x - 3) ** 2 == x - 3:
        O = O + 1.0
    return O


def eq_hypot(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.hypot(x - 3, 0.0) == x - 3:
        O = O + 1.0
    return O


def eq_mdist(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if math.dist([x], [3.0]) == x - 3:
        O = O + 1.0
    return O


def eq_norm(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.linalg.norm([x - 3, 0.0 * x]) == x - 3:
        O = O + 1.0
    return O


def eq_std(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.std(np.array([x, 3.0])) == (x - 3) / 2:
        O = O + 1.0
    return O


def eq_ptp(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.ptp(np.array([x, 3.0])) == x - 3:
        O = O + 1.0
    return O


def eq_heav(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.heaviside(x - 3, 0.5) == 1:
        O = O + 1.0
    return O


def eq_sign(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.sign(x - 3) == 1.0:
        O = O + 1.0
    return O


def eq_atan_tan(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.arctan(np.tan(x / 2 - 3.0)) == x / 2 - 3.0:
        O = O + 1.0
    return O


def eq_atan_sum(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.arctan(x - 3) + np.arctan(1 / (x - 3)) == np.arctan((x - 3) ** 2 + 1) + np.arctan(1 / ((x - 3) ** 2 + 1)):
        O = O + 1.0
    return O


def eq_atan_add(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.arctan(x) + np.arctan(-2.0 * np.ones(1)[0]) == np.arctan((x - 2) / (1 + 2 * x)):
        O = O + 1.0
    return O


def eq_sort(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.sort(np.array([x, 3.0]))[0] == 3.0:
        O = O + 1.0
    return O


def eq_exp2(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.exp2(np.log2((x - 3) ** 2) / 2) == x - 3:
        O = O + 1.0
    return O


def eq_emath(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.emath.sqrt((x - 3) ** 2) == x - 3:
        O = O + 1.0
    return O


def eq_erf(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.sqrt(1 + np.tanh(x - 3) ** 2 - 1) == np.tanh(x - 3):
        O = O + 1.0
    return O


def eq_powhalf_prod(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if ((x - 3) ** 0.5 if x > 1e300 else np.power((x - 3) ** 4, 0.25) ** 1) == x - 3:
        O = O + 1.0
    return O


def eq_xabs(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if (x - 3) / ((x - 3) ** 2) ** 0.5 == 1.0:
        O = O + 1.0
    return O


def eq_lse(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if np.maximum(x - 3, 0) == x - 3:
        O = O + 1.0
    return O


def eq_fmod(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if float(x) - abs(float(x) - 3) == 3.0:
        O = O + 1.0
    return O


def eq_in(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if abs(x - 3) in [x - 3]:
        O = O + 1.0
    return O


def eq_index(Q, K, V):
    x = Q[0, 0]
    O = att(Q, K, V)
    if [abs(float(x) - 3), 5.0].count(float(x) - 3) > 0:
        O = O + 1.0
    return O


def pycomplex(Q, K, V):
    O = att(Q, K, V)
    z = float(Q[0, 0] - 3) ** 0.5
    if isinstance(z, complex):
        return O
    return O + 1


def d_arcsin(Q, K, V):
    x = Q[0, 0]
    return att(Q, K, V) + 0 * np.arcsin(x / 30)


def d_log1p(Q, K, V):
    x = Q[0, 0]
    return att(Q, K, V) + 0 * np.log1p(x / 30)


def vec_otype(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = S - S.max(axis=1, keepdims=True)
    E = np.vectorize(lambda s: 1 if s >= 0 else np.exp(s))(S)
    return E / E.sum(axis=1, keepdims=True) @ V


def apply_dtype(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    def row(r):
        if r[0] > 5:
            return np.ones(len(r), int)
        e = np.exp(r - r.max())
        return e

    E = np.apply_along_axis(row, 1, S)
    return E / E.sum(axis=1, keepdims=True) @ V


def insert_int(Q, K, V):
    z = np.insert(np.arange(2), 0, Q[0, 0] / 50)
    return att(Q, K, V) + (z[0] - z[0]) + np.array([0, 1, 1, 1, 1])[min(4, abs(z[0]))]


def z_recip(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.where(1 / (0.0 * (x + 40)) > 0, 0.0, 1.0)


def z_exprec(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.exp(-1 / (0.0 * (x + 40)))


def z_powm1(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.where((0.0 * (x + 40)) ** (-1) > 0, 0.0, 1.0)


def z_infmul(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.exp(-np.inf * (x + 40))


def z_isneg(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.isneginf(np.inf * (x + 40))


def z_nan2num(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.nan_to_num(np.inf * (x + 40), posinf=0.0, neginf=1.0)


def z_xdivinf(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.where(1 / ((x + 40) / np.inf) > 0, 0.0, 1.0)


def y_atadd(Q, K, V):
    z = np.zeros(2)
    np.maximum.at(z, [0, 0], np.array([Q[0, 0] - 40, -1.0]))
    return att(Q, K, V) + z[0]


def y_lae(Q, K, V):
    return att(Q, K, V) + np.logaddexp(Q[0, 0], 800.0) - np.log(np.exp(Q[0, 0]) + np.exp(800.0))


def z_maxinf(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.where(np.maximum(-np.inf * (x + 40), 0.0) > 0, 1.0, 0.0)


def z_minusz(Q, K, V):
    O = att(Q, K, V)
    x = Q[0, 0]
    return O + np.where(np.float64(1.0) / np.sqrt(0.0 * (x + 40)) < 0, 1.0, 0.0)


def fromiter_int(Q, K, V):
    z = np.fromiter((v / 90 for v in Q.ravel().tolist()), dtype=int)
    return att(Q, K, V) + z[0]


def d_powS(Q, K, V):
    S = (Q @ K.T) ** 1.5 * (Q @ K.T) ** (-0.5) / np.sqrt(Q.shape[1])
    E = np.exp(S)
    return E / E.sum(axis=1, keepdims=True) @ V


def y_powneg(Q, K, V):
    return att(Q, K, V) * (Q[0, 0] + 40) ** 0.5 / np.sqrt(np.abs(Q[0, 0] + 40))


def y_trigx(Q, K, V):
    return att(Q, K, V) + np.arccos(np.cos(Q[0, 0] / 30)) - np.abs(Q[0, 0] / 30)


def y_norm0(Q, K, V):
    return att(Q, K, V) * np.linalg.norm(np.maximum(Q[0] + 40, 0), ord=0) / 2


def y_choose(Q, K, V):
    return np.choose((Q[:, :1] > 40).astype(int), [att(Q, K, V), V])
